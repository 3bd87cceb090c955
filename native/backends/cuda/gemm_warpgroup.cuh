// 16-bit products on wgmma, sm_90a. One warp asks the copy engine for tiles of A and W, one or two warpgroups multiply
// them, 64 rows each. Blocks stay and take tile after tile, so that copies for the next tile run under the end of this
// one.
#pragma once

#include "backends/cuda/gemm_epilogue.cuh"
#include "backends/cuda/warpgroup.cuh"

namespace deberta::cuda {

template <int kConsumers_, int kBlockN_>
struct WarpgroupTile {
  static constexpr int kConsumers = kConsumers_;  // warpgroups that multiply
  static constexpr int kBlockM = 64 * kConsumers, kBlockN = kBlockN_;
  static constexpr int kThreads = kWarpgroup * (kConsumers + 1);
  static constexpr int kDepth = 64;  // elements of a stage: 128-byte rows
  static constexpr int kStages = 4;
  static constexpr int kABytes = kBlockM * kDepth * 2;
  static constexpr int kStageBytes = kABytes + kBlockN * kDepth * 2;
  static constexpr int kFull = kStages * kStageBytes;  // the barriers, behind the tiles
  static constexpr int kEmpty = kFull + kStages * 8;
  static constexpr size_t kSharedBytes = kEmpty + kStages * 8;
};

/// Output tiles in the order in which blocks take them: along n first, so that a tile of A is read from memory once.
struct TileGrid {
  int rows, cols;  // tiles
  int64_t count() const { return int64_t{rows} * cols; }
};

template <class Tile>
__device__ __forceinline__ void load_tiles(const TensorMap& a_map, const TensorMap& w_map, TileGrid grid, int steps) {
  const uint32_t shared = shared_base();
  StageCursor<Tile::kStages> cursor;
  for (int tile = blockIdx.x; tile < grid.rows * grid.cols; tile += gridDim.x) {
    const int row = tile / grid.cols * Tile::kBlockM, col = tile % grid.cols * Tile::kBlockN;
    for (int step = 0; step < steps; ++step) {
      const uint32_t full = shared + Tile::kFull + cursor.stage * 8;
      const uint32_t to = shared + cursor.stage * Tile::kStageBytes;
      mbarrier_wait(shared + Tile::kEmpty + cursor.stage * 8, cursor.parity ^ 1);
      mbarrier_arrive_expect(full, Tile::kStageBytes);
      tensor_load(to, a_map, full, step * Tile::kDepth, row);
      tensor_load(to + Tile::kABytes, w_map, full, step * Tile::kDepth, col);
      cursor.advance();
    }
  }
}

/// The products of one output tile; the stages come and go by the cursor.
template <class Tile, class T>
__device__ __forceinline__ void multiply_tile(float (&sums)[Tile::kBlockN / 2], StageCursor<Tile::kStages>& cursor,
                                              int steps, int consumer) {
  const uint32_t shared = shared_base();
  int previous = -1;  // the stage whose products may still run
  for (int step = 0; step < steps; ++step) {
    mbarrier_wait(shared + Tile::kFull + cursor.stage * 8, cursor.parity);
    const uint32_t stage = shared + cursor.stage * Tile::kStageBytes;
    const uint64_t a = tile_descriptor<128>(stage + consumer * 64 * 128);
    const uint64_t w = tile_descriptor<128>(stage + Tile::kABytes);
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < Tile::kDepth / 16; ++k) {
      wgmma_ss<T, Tile::kBlockN>(sums, a + k * 2, w + k * 2, step > 0 || k > 0);  // 32 bytes on, in units of 16
    }
    wgmma_commit();
    wgmma_wait<1>();
    if (previous >= 0 && threadIdx.x % 32 == 0) mbarrier_arrive(shared + Tile::kEmpty + previous * 8);
    previous = cursor.stage;
    cursor.advance();
  }
  wgmma_wait<0>(sums);
  if (threadIdx.x % 32 == 0) mbarrier_arrive(shared + Tile::kEmpty + previous * 8);
}

template <class Tile, class T, class Out>
__global__ void __launch_bounds__(Tile::kThreads, 1)
    gemm_warpgroup_kernel(const __grid_constant__ TensorMap a_map, const __grid_constant__ TensorMap w_map,
                          GemmArgs<T, Out> args, TileGrid grid) {
  const uint32_t shared = shared_base();
  const int steps = (args.k + Tile::kDepth - 1) / Tile::kDepth;
  if (threadIdx.x == 0) {
    for (int i = 0; i < Tile::kStages; ++i) {
      mbarrier_init(shared + Tile::kFull + i * 8, 1);
      mbarrier_init(shared + Tile::kEmpty + i * 8, 4 * Tile::kConsumers);  // a warp each
    }
    mbarrier_init_fence();
  }
  __syncthreads();
  const int role = threadIdx.x / kWarpgroup;
  if (role == Tile::kConsumers) {
    if constexpr (Tile::kConsumers == 2) release_registers<40>();
    if (threadIdx.x % kWarpgroup == 0) load_tiles<Tile>(a_map, w_map, grid, steps);
  } else {
    if constexpr (Tile::kConsumers == 2) claim_registers<232>();
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;  // warp: 16 rows each, over all consumers
    StageCursor<Tile::kStages> cursor;
    for (int tile = blockIdx.x; tile < grid.rows * grid.cols; tile += gridDim.x) {
      float sums[Tile::kBlockN / 2];
      multiply_tile<Tile, T>(sums, cursor, steps, role);
      const int64_t row = int64_t{tile / grid.cols} * Tile::kBlockM + warp * 16 + lane / 4;
      const int col = tile % grid.cols * Tile::kBlockN + lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < Tile::kBlockN / 8; ++n) {
        store_outputs<false>(args, row, col + n * 8, sums[4 * n], sums[4 * n + 1]);
        store_outputs<false>(args, row + 8, col + n * 8, sums[4 * n + 2], sums[4 * n + 3]);
      }
    }
  }
}

}  // namespace deberta::cuda
