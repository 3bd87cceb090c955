// Source: transformers DebertaV2Layer. Both dense outputs add their residual in place, so that a layer needs one hidden
// matrix and a scratch of 4 * all_head_size columns; that of the feed-forward network holds a block of rows at a time.
#include "model/encoder_layer.h"

namespace deberta {

namespace {

Matrix columns(const Matrix& matrix, int64_t begin, int64_t count, DType dtype) {
  auto* data = static_cast<std::byte*>(matrix.data) + static_cast<size_t>(begin) * dtype_size(dtype);
  return {data, matrix.rows, count, matrix.stride};
}

Matrix rows(const Matrix& matrix, int64_t begin, int64_t count, DType dtype) {
  auto* data = static_cast<std::byte*>(matrix.data) + static_cast<size_t>(begin * matrix.stride) * dtype_size(dtype);
  return {data, count, matrix.cols, matrix.stride};
}

/// Parts [begin, end) of q, k, v, side by side.
Matrix project(const Pass& pass, const PackedLayer& layer, const ConstMatrix& input, int begin, int end) {
  LinearArgs args;
  args.input = input;
  args.weight = layer.qkv.get();
  args.part_begin = begin;
  args.part_end = end;
  args.output = pass.matrix(input.rows, (end - begin) * pass.config().all_head_size());
  pass.ops().linear(pass.context(), args);
  return args.output;
}

/// What attention over all tokens and over some rows have in common.
AttentionArgs attention_args(const Pass& pass, const PackedLayer& layer) {
  AttentionArgs args;
  args.positions = layer.positions.get();
  args.cu_seqlens = pass.workspace.batch().cu_seqlens;
  args.num_sequences = pass.batch.num_sequences;
  args.max_seqlen = pass.batch.max_seqlen;
  args.num_heads = static_cast<int>(pass.config().num_attention_heads);
  args.head_dim = static_cast<int>(pass.config().attention_head_size);
  args.scale = pass.config().attention_scale();
  args.head_logits_proj = static_cast<const float*>(layer.head_logits_proj.data());
  args.head_weights_proj = static_cast<const float*>(layer.head_weights_proj.data());
  return args;
}

/// hidden = LayerNorm(weight(input) + hidden).
void add_projection(const Pass& pass, const LinearHandle& weight, const PackedLayerNorm& norm, const ConstMatrix& input,
                    const Matrix& hidden) {
  LinearArgs args;
  args.input = input;
  args.weight = weight.get();
  args.residual = hidden;
  args.output = hidden;
  pass.ops().linear(pass.context(), args);
  pass.layer_norm(norm, hidden);
}

/// In equal blocks of the rows that the backend takes at once; no row's result depends on the others.
void run_feed_forward(const Pass& pass, const PackedLayer& layer, const Matrix& hidden) {
  const DType dtype = pass.ops().activation_dtype(pass.context());
  const int64_t blocks = (hidden.rows - 1) / pass.ops().rows_at_once(pass.context()) + 1;
  const auto first_row = [&](int64_t block) { return hidden.rows * block / blocks; };
  const Arena::Scope scope(pass.workspace.arena());
  const int64_t most_rows = (hidden.rows - 1) / blocks + 1;
  const Matrix intermediate = pass.matrix(most_rows, pass.config().intermediate_size);
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t count = first_row(block + 1) - first_row(block);
    const Matrix in_place = rows(hidden, first_row(block), count, dtype);
    const Matrix between = rows(intermediate, 0, count, dtype);
    pass.linear(layer.intermediate, in_place, between, pass.config().hidden_act);
    add_projection(pass, layer.output, layer.output_layer_norm, between, in_place);
  }
}

}  // namespace

void run_encoder_layer(const Pass& pass, const PackedLayer& layer, const Matrix& hidden) {
  const int64_t width = pass.config().all_head_size();
  const DType dtype = pass.ops().activation_dtype(pass.context());
  {
    const Arena::Scope scope(pass.workspace.arena());
    const Matrix qkv = project(pass, layer, hidden, 0, 3);
    AttentionArgs args = attention_args(pass, layer);
    args.query = columns(qkv, 0, width, dtype);
    args.key = columns(qkv, width, width, dtype);
    args.value = columns(qkv, 2 * width, width, dtype);
    args.probabilities = pass.workspace.attention_maps().probabilities;
    args.probability_offsets = pass.workspace.attention_maps().device_offsets;
    args.output = pass.matrix(hidden.rows, width);
    pass.ops().disentangled_attention(pass.context(), args);
    add_projection(pass, layer.attention_output, layer.attention_layer_norm, args.output, hidden);
  }
  run_feed_forward(pass, layer, hidden);
}

Matrix project_key_value(const Pass& pass, const PackedLayer& layer, const ConstMatrix& hidden) {
  return project(pass, layer, hidden, 1, 3);
}

void run_encoder_layer_on_rows(const Pass& pass, const PackedLayer& layer, const Matrix& key_value,
                               const Matrix& query) {
  const int64_t width = pass.config().all_head_size();
  const DType dtype = pass.ops().activation_dtype(pass.context());
  {
    const Arena::Scope scope(pass.workspace.arena());
    AttentionArgs args = attention_args(pass, layer);
    args.query = project(pass, layer, query, 0, 1);
    args.key = columns(key_value, 0, width, dtype);
    args.value = columns(key_value, width, width, dtype);
    args.query_cu_seqlens = pass.workspace.batch().selected.cu_seqlens;
    args.query_positions = pass.workspace.batch().selected.positions;
    args.output = pass.matrix(query.rows, width);
    pass.ops().disentangled_attention(pass.context(), args);
    add_projection(pass, layer.attention_output, layer.attention_layer_norm, args.output, query);
  }
  run_feed_forward(pass, layer, query);
}

}  // namespace deberta
