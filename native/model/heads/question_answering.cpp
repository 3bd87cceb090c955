// Source: transformers DebertaV2ForQuestionAnswering: qa_outputs has two rows, start and end.
#include "model/heads/classifier.h"

namespace deberta {

void run_question_answering(const Pass& pass, float* logits) {
  const Arena::Scope scope(pass.workspace.arena());
  download_classifier(pass, pass.workspace.hidden(), logits);
}

}  // namespace deberta
