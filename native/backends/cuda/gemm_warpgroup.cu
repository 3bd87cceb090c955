// Which wgmma product runs; built for sm_90a alone.
#include <algorithm>

#include "backends/cuda/gemm_args.h"
#include "backends/cuda/gemm_warpgroup.cuh"
#include "backends/cuda/launch.h"
#include "backends/cuda/types.h"

namespace deberta::cuda {

namespace {

template <class Tile>
TileGrid tile_grid(const Gemm& problem) {
  return {static_cast<int>(blocks_for(problem.a.rows, Tile::kBlockM)),
          static_cast<int>(blocks_for(problem.n, Tile::kBlockN))};
}

template <class Tile, class T, class Out>
bool launch_tiles(Context& context, const Gemm& problem) {
  TensorMap a_map, w_map;
  if (!make_tensor_map(a_map, problem.a.data, problem.a.rows, problem.a.cols, problem.a.stride, Tile::kBlockM,
                       Tile::kDepth) ||
      !make_tensor_map(w_map, problem.weight, problem.n, problem.pitch, problem.pitch, Tile::kBlockN, Tile::kDepth)) {
    return false;
  }
  const TileGrid grid = tile_grid<Tile>(problem);
  const auto blocks = static_cast<unsigned>(std::min<int64_t>(grid.count(), context.device.multiprocessors));
  launch(context, problem.op, gemm_warpgroup_kernel<Tile, T, Out>,
         {dim3{blocks}, dim3{Tile::kThreads}, Tile::kSharedBytes}, a_map, w_map, gemm_args<T, Out>(problem), grid);
  return true;
}

/// The largest tile that still gives every multiprocessor one.
template <class T, class Out>
bool launch_product(Context& context, const Gemm& problem) {
  const int64_t enough = context.device.multiprocessors;
  if (tile_grid<WarpgroupTile<2, 256>>(problem).count() >= enough) {
    return launch_tiles<WarpgroupTile<2, 256>, T, Out>(context, problem);
  }
  if (tile_grid<WarpgroupTile<2, 128>>(problem).count() >= enough) {
    return launch_tiles<WarpgroupTile<2, 128>, T, Out>(context, problem);
  }
  return launch_tiles<WarpgroupTile<1, 64>, T, Out>(context, problem);
}

}  // namespace

bool gemm_warpgroup(Context& context, const Gemm& problem) {
  // Nothing here may depend on the number of rows: another kernel could round a row otherwise.
  const bool common = problem.activation == Activation::kNone || problem.activation == Activation::kGelu;
  const bool aligned = reinterpret_cast<uintptr_t>(problem.a.data) % 16 == 0 && problem.a.stride % 8 == 0;
  if (!common || !aligned) return false;
  bool launched = false;
  with_type(context.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    if constexpr (sizeof(T) == 2) {
      launched =
          problem.float_output ? launch_product<T, float>(context, problem) : launch_product<T, T>(context, problem);
    }
  });
  return launched;
}

}  // namespace deberta::cuda
