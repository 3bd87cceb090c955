#include "model/workspace.h"

#include <algorithm>

namespace deberta {

namespace {

/// The widest and longest that any op of the pass reads.
WorkspaceShape workspace_shape(const Config& config, const PackedBatch& batch) {
  WorkspaceShape shape;
  shape.total_tokens = std::max<int64_t>(batch.total_tokens, static_cast<int64_t>(batch.selected.order.size()));
  shape.max_seqlen = batch.max_seqlen;
  shape.num_sequences = batch.num_sequences;
  shape.max_features =
      std::max({config.hidden_size, config.embedding_size, config.intermediate_size, 3 * config.all_head_size()});
  shape.num_heads = config.num_attention_heads;
  shape.head_dim = config.attention_head_size;
  return shape;
}

}  // namespace

Workspace::Workspace(const Device& device)
    : device_(device),
      arena_(device),
      input_ids_(device),
      position_ids_(device),
      token_type_ids_(device),
      cu_seqlens_(device),
      selected_rows_(device),
      selected_positions_(device),
      selected_cu_seqlens_(device),
      indices_(device),
      probabilities_(device),
      map_offsets_(device) {}

void Workspace::prepare(const Config& config, const PackedBatch& batch, bool attentions) {
  device_.ops().reserve(device_.context(), workspace_shape(config, batch));
  arena_.reset();
  upload(batch);
  prepare_maps(config, batch, attentions);
  hidden_ = arena_.matrix(batch.total_tokens, config.hidden_size);
  selected_ = arena_.matrix(static_cast<int64_t>(batch.selected.rows.size()), config.hidden_size);
}

void Workspace::upload(const PackedBatch& batch) {
  device_batch_ = {};
  device_batch_.input_ids = input_ids_.assign(batch.input_ids);
  if (!batch.position_ids.empty()) device_batch_.position_ids = position_ids_.assign(batch.position_ids);
  if (!batch.token_type_ids.empty()) device_batch_.token_type_ids = token_type_ids_.assign(batch.token_type_ids);
  device_batch_.cu_seqlens = cu_seqlens_.assign(batch.cu_seqlens);
  device_batch_.selected.rows = selected_rows_.assign(batch.selected.rows);
  device_batch_.selected.positions = selected_positions_.assign(batch.selected.positions);
  device_batch_.selected.cu_seqlens = selected_cu_seqlens_.assign(batch.selected.cu_seqlens);
}

void Workspace::prepare_maps(const Config& config, const PackedBatch& batch, bool wanted) {
  attention_maps_ = {};
  if (!wanted) return;
  attention_maps_.offsets = {0};
  for (int64_t s = 0; s < batch.num_sequences; ++s) {
    const int64_t length = batch.cu_seqlens[s + 1] - batch.cu_seqlens[s];
    attention_maps_.offsets.push_back(attention_maps_.offsets.back() + config.num_attention_heads * length * length);
  }
  attention_maps_.device_offsets = map_offsets_.assign(attention_maps_.offsets);
  const size_t bytes = static_cast<size_t>(attention_maps_.offsets.back()) * sizeof(float);
  attention_maps_.probabilities = static_cast<float*>(probabilities_.reserve(bytes));
}

}  // namespace deberta
