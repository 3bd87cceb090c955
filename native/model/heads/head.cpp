#include "model/heads/head.h"

namespace deberta {

HeadInput head_input(Task task) {
  switch (task) {
    case Task::kEncoder:
      return HeadInput::kNothing;
    case Task::kSequenceClassification:
    case Task::kMultipleChoice:
      return HeadInput::kFirstTokens;
    case Task::kMaskedLm:
      return HeadInput::kWantedTokens;
    case Task::kTokenClassification:
    case Task::kQuestionAnswering:
    case Task::kReplacedTokenDetection:
      return HeadInput::kEveryToken;
  }
  return HeadInput::kNothing;
}

int64_t logits_width(const PackedModel& model) {
  if (model.task == Task::kMaskedLm) return model.config.vocab_size;
  return model.task == Task::kEncoder ? 0 : model.weights.head.classifier.weight.view.rows;
}

void run_head(const Pass& pass, float* logits) {
  switch (pass.model.task) {
    case Task::kEncoder:
      return;
    case Task::kSequenceClassification:
      return run_sequence_classification(pass, logits);
    case Task::kTokenClassification:
      return run_token_classification(pass, logits);
    case Task::kQuestionAnswering:
      return run_question_answering(pass, logits);
    case Task::kMultipleChoice:
      return run_multiple_choice(pass, logits);
    case Task::kMaskedLm:
      return run_masked_lm(pass, logits);
    case Task::kReplacedTokenDetection:
      return run_replaced_token_detection(pass, logits);
  }
}

}  // namespace deberta
