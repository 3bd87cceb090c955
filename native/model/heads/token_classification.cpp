// Source: transformers DebertaV2ForTokenClassification.
#include "model/heads/classifier.h"

namespace deberta {

void run_token_classification(const Pass& pass, float* logits) {
  const Arena::Scope scope(pass.workspace.arena());
  download_classifier(pass, pass.workspace.hidden(), logits);
}

}  // namespace deberta
