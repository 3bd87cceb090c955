#include "model/task.h"

#include "base/error.h"
#include "io/utf8.h"

namespace deberta {

namespace {

struct TaskNames {
  Task task;
  std::string_view name;
  std::string_view architecture;  // what follows "Deberta" or "DebertaV2" in the class names of transformers
};

constexpr TaskNames kTasks[] = {
    {Task::kEncoder, "encoder", "Model"},
    {Task::kSequenceClassification, "sequence-classification", "ForSequenceClassification"},
    {Task::kTokenClassification, "token-classification", "ForTokenClassification"},
    {Task::kQuestionAnswering, "question-answering", "ForQuestionAnswering"},
    {Task::kMultipleChoice, "multiple-choice", "ForMultipleChoice"},
    {Task::kMaskedLm, "masked-lm", "ForMaskedLM"},
    {Task::kReplacedTokenDetection, "replaced-token-detection", "ForReplacedTokenDetection"},  // no class there: ours
};

}  // namespace

const char* task_name(Task task) {
  for (const TaskNames& names : kTasks) {
    if (names.task == task) return names.name.data();
  }
  return "";
}

std::optional<Task> task_from_name(std::string_view name) {
  for (const TaskNames& names : kTasks) {
    if (names.name == name) return names.task;
  }
  return std::nullopt;
}

std::optional<Task> task_from_architectures(const std::vector<std::string>& architectures) {
  if (architectures.empty()) return std::nullopt;
  std::string_view rest = architectures.front();
  for (const std::string_view family : {std::string_view("DebertaV2"), std::string_view("Deberta")}) {
    if (!rest.starts_with(family)) continue;
    for (const TaskNames& names : kTasks) {
      if (rest.substr(family.size()) == names.architecture) return names.task;
    }
  }
  throw Error(ErrorCode::kUNSUPPORTED_CONFIG,
              "config.json: architectures: \"" + printable(rest) +
                  "\" is not a DeBERTa with a head known here; load it with task \"encoder\" to run its encoder alone");
}

}  // namespace deberta
