// Chooses the attention kernel and launches those that every device has: by rows, far field, bands on mma.sync.
#include <algorithm>

#include "backends/cuda/attention.h"
#include "backends/cuda/attention_args.h"
#include "backends/cuda/attention_mma.cuh"
#include "backends/cuda/attention_rows.cuh"
#include "backends/cuda/launch.h"
#include "backends/cuda/types.h"

namespace deberta::cuda {

namespace {

// Scratch of the row kernel: a few blocks per multiprocessor, fewer where rows of scores are very long.
constexpr int64_t kRowScratchBytes = int64_t{128} << 20;

size_t row_scratch_bytes(int64_t heads, int64_t longest) { return 2 * heads * longest * sizeof(float); }

bool aligned(const ConstMatrix& matrix) { return vector_aligned(matrix.data, matrix.stride, matrix.cols); }

void attention_rows(Context& context, const AttentionArgs& args) {
  const size_t per_block = row_scratch_bytes(args.num_heads, args.max_seqlen);
  const auto blocks = static_cast<int64_t>(context.attention_rows.bytes() / std::max<size_t>(per_block, 1));
  if (blocks == 0) {
    return context.fail(ErrorCode::kINTERNAL, "disentangled_attention: reserve() was told of no such sequence length");
  }
  with_type(context.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    const auto tiled = tiled_attention<T>(context, args);
    RowAttention<T> rows{};
    rows.query = tiled.query;
    rows.key = tiled.key;
    rows.value = tiled.value;
    rows.output = tiled.output;
    rows.pos_key = tiled.pos_key;
    rows.pos_query = tiled.pos_query;
    rows.cu_seqlens = args.cu_seqlens;
    rows.query_cu_seqlens = args.query_cu_seqlens ? args.query_cu_seqlens : args.cu_seqlens;
    rows.query_positions = args.query_cu_seqlens ? args.query_positions : nullptr;
    rows.head_logits_proj = args.head_logits_proj;
    rows.head_weights_proj = args.head_weights_proj;
    rows.probabilities = args.probabilities;
    rows.probability_offsets = args.probability_offsets;
    rows.scratch = static_cast<float*>(context.attention_rows.data());
    rows.query_stride = tiled.query_stride;
    rows.key_stride = tiled.key_stride;
    rows.value_stride = tiled.value_stride;
    rows.output_stride = tiled.output_stride;
    rows.query_rows = args.query.rows;
    rows.position_rows = tiled.position_rows;
    rows.longest = args.max_seqlen;
    rows.num_sequences = tiled.num_sequences;
    rows.heads = args.num_heads;
    rows.head_dim = args.head_dim;
    rows.top_distance = tiled.top_distance;
    rows.scale = args.scale;
    rows.vectors = args.head_dim % 8 == 0 && aligned(args.query) && aligned(args.key);
    launch(context, "disentangled_attention", attention_rows_kernel<T>,
           {dim3{static_cast<unsigned>(std::min(blocks, args.query.rows))}, dim3{kRowThreads}}, rows);
  });
}

template <int kDim, class T>
void launch_band(Context& context, const AttentionArgs& args) {
  using Tile = BandTile<kDim>;
  const int64_t slots = args.query.rows / Tile::kRows + args.num_sequences;
  launch(context, "disentangled_attention", attention_mma_kernel<kDim, T>,
         {dim3{static_cast<unsigned>(slots), static_cast<unsigned>(args.num_heads)}, dim3{Tile::kThreads},
          Tile::kSharedBytes},
         tiled_attention<T>(context, args));
}

void attention_mma(Context& context, const AttentionArgs& args) {
  with_type(context.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    if constexpr (sizeof(T) == 2) {
      if (args.head_dim == 32) launch_band<32, T>(context, args);
      if (args.head_dim == 64) launch_band<64, T>(context, args);
      if (args.head_dim == 128) launch_band<128, T>(context, args);
    }
  });
}

}  // namespace

void reserve_attention(Context& context, const WorkspaceShape& shape) {
  context.far_field.reserve(2 * shape.num_heads * shape.total_tokens * sizeof(float), "attention far field");
  const auto per_block = static_cast<int64_t>(row_scratch_bytes(shape.num_heads, shape.max_seqlen));
  if (per_block == 0) return;
  const int64_t blocks = std::clamp<int64_t>(kRowScratchBytes / per_block, 1, 4 * context.device.multiprocessors);
  context.attention_rows.reserve(blocks * per_block, "attention scores");
}

bool tiles_cover(const Context& context, const AttentionArgs& args) {
  const bool rows_wanted =
      args.query_cu_seqlens || args.head_logits_proj || args.head_weights_proj || args.probabilities;
  const bool dim = args.head_dim == 32 || args.head_dim == 64 || args.head_dim == 128;
  return context.dtype != DType::kFloat32 && dim && !rows_wanted && args.num_sequences > 0 && aligned(args.query) &&
         aligned(args.key) && aligned(args.value);
}

bool prepare_far_field(Context& context, const AttentionArgs& args) {
  if (!args.positions || !own(args.positions).pos_query) return true;
  const Positions& positions = own(args.positions);
  const int64_t farthest = args.max_seqlen - 1;
  if (farthest < positions.high && -farthest > positions.low) return true;
  const int64_t items = args.key.rows * args.num_heads;
  if (context.far_field.bytes() < 2 * items * sizeof(float)) {
    context.fail(ErrorCode::kINTERNAL, "disentangled_attention: reserve() was told of fewer tokens or heads");
    return false;
  }
  with_type(context.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    launch(context, "disentangled_attention", far_field_kernel<T>, {dim3{blocks_for(items, 4)}, dim3{128}},
           tiled_attention<T>(context, args), static_cast<float*>(context.far_field.data()), args.head_dim);
  });
  return true;
}

void disentangled_attention(OpContext* context, const AttentionArgs& args) noexcept {
  Context& self = own(context);
  if (args.query.rows == 0) return;
  if (!tiles_cover(self, args)) return attention_rows(self, args);
  if (!prepare_far_field(self, args)) return;
  if (self.device.warpgroups() && attention_warpgroup(self, args)) return;
  attention_mma(self, args);
}

}  // namespace deberta::cuda
