// Which wgmma attention runs; built for sm_90a alone.
#include "backends/cuda/attention_args.h"
#include "backends/cuda/attention_warpgroup.cuh"
#include "backends/cuda/launch.h"
#include "backends/cuda/types.h"

namespace deberta::cuda {

namespace {

template <class Band>
bool describe(TensorMap& map, const ConstMatrix& matrix) {
  return make_tensor_map(map, matrix.data, matrix.rows, matrix.cols, matrix.stride, 64, Band::kBoxCols);
}

template <class Band>
bool describe_table(TensorMap& map, const void* table, const Positions& positions) {
  return !table || describe<Band>(map, {table, positions.rows, positions.width, positions.width});
}

template <int kDim, int kConsumers, class T>
bool launch_band(Context& context, const AttentionArgs& args) {
  using Band = WarpgroupBand<kDim, kConsumers>;
  BandMaps maps{};
  if (!describe<Band>(maps.query, args.query) || !describe<Band>(maps.key, args.key) ||
      !describe<Band>(maps.value, args.value)) {
    return false;
  }
  if (args.positions) {
    const Positions& positions = own(args.positions);
    if (!describe_table<Band>(maps.pos_key, positions.pos_key, positions) ||
        !describe_table<Band>(maps.pos_query, positions.pos_query, positions)) {
      return false;
    }
  }
  const int64_t slots = args.query.rows / Band::kRows + args.num_sequences;
  launch(context, "disentangled_attention", attention_warpgroup_kernel<Band, T>,
         {dim3{static_cast<unsigned>(slots), static_cast<unsigned>(args.num_heads)}, dim3{Band::kThreads},
          Band::kSharedBytes},
         maps, tiled_attention<T>(context, args));
  return true;
}

}  // namespace

bool attention_warpgroup(Context& context, const AttentionArgs& args) {
  bool launched = false;
  with_type(context.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    if constexpr (sizeof(T) == 2) {
      if (args.head_dim == 32) launched = launch_band<32, 2, T>(context, args);
      if (args.head_dim == 64) launched = launch_band<64, 2, T>(context, args);
      if (args.head_dim == 128) launched = launch_band<128, 1, T>(context, args);
    }
  });
  return launched;
}

}  // namespace deberta::cuda
