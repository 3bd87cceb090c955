// Source: transformers ContextPooler and DebertaV2ForSequenceClassification.
#include "model/heads/classifier.h"

namespace deberta {

void run_sequence_classification(const Pass& pass, float* logits) {
  const Arena::Scope scope(pass.workspace.arena());
  const Matrix first_tokens = pass.workspace.selected_hidden();  // [num_sequences, hidden_size]
  const Matrix pooled = pass.matrix(first_tokens.rows, first_tokens.cols);
  pass.linear(pass.model.head_dense, first_tokens, pooled, pass.config().pooler_hidden_act);
  download_classifier(pass, pooled, logits);
}

}  // namespace deberta
