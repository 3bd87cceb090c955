// Source: microsoft/DeBERTa apps/models/replaced_token_detection_model.py (the discriminator of DeBERTa-v3).
#include "model/heads/classifier.h"

namespace deberta {

namespace {

/// For every token of the batch the row of its sequence's first token.
std::vector<int32_t> first_token_rows(const PackedBatch& batch) {
  std::vector<int32_t> rows;
  for (int64_t s = 0; s < batch.num_sequences; ++s) rows.resize(batch.cu_seqlens[s + 1], batch.cu_seqlens[s]);
  return rows;
}

}  // namespace

void run_replaced_token_detection(const Pass& pass, float* logits) {
  const Arena::Scope scope(pass.workspace.arena());
  const PackedModel& model = pass.model;
  const Matrix hidden = pass.workspace.hidden();
  const Matrix states = pass.matrix(hidden.rows, hidden.cols);

  GatherRowsArgs gather;
  gather.source = hidden;
  gather.rows = pass.workspace.upload_indices(first_token_rows(pass.batch));
  gather.output = states;
  pass.ops().gather_rows(pass.context(), gather);
  pass.layer_norm(model.head_layer_norm, states, hidden);

  const Matrix dense = pass.matrix(hidden.rows, hidden.cols);
  pass.linear(model.head_dense, states, dense, model.config.hidden_act);
  download_classifier(pass, dense, logits);
}

}  // namespace deberta
