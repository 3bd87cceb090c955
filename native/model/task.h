// The heads a checkpoint can carry, by the names that the package shows to its users.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deberta {

enum class Task : uint8_t {
  kEncoder,                 // no head
  kSequenceClassification,  // pooler.dense, classifier: also regression and reranking (one logit)
  kTokenClassification,     // classifier on every token
  kQuestionAnswering,       // qa_outputs: start and end
  kMultipleChoice,          // pooler.dense, classifier with one row, logits compared across choices
  kMaskedLm,                // lm_predictions.lm_head or cls.predictions
  kReplacedTokenDetection,  // mask_predictions
};

/// "encoder", "sequence-classification", "token-classification", "question-answering", "multiple-choice", "masked-lm",
/// "replaced-token-detection".
const char* task_name(Task task);

std::optional<Task> task_from_name(std::string_view name);

/// The task of the first name of config.json's `architectures`, or nothing where the list is empty. Throws
/// UNSUPPORTED_CONFIG for an architecture that is not one of these.
std::optional<Task> task_from_architectures(const std::vector<std::string>& architectures);

}  // namespace deberta
