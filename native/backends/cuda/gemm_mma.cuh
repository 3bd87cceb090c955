// 16-bit products on mma.sync, sm_80 and later. Tiles of A and W travel through a ring of shared-memory stages by
// cp.async; a row of a stage is 32 elements in 64 bytes, its four 16-byte chunks exchanged by row so that ldmatrix
// meets no bank twice.
#pragma once

#include "backends/cuda/gemm_epilogue.cuh"

namespace deberta::cuda {

/// kBlockM x kBlockN outputs per block, kWarpsM x kWarpsN warps.
template <int kBlockM_, int kBlockN_, int kWarpsM_, int kWarpsN_>
struct MmaTile {
  static constexpr int kBlockM = kBlockM_, kBlockN = kBlockN_;
  static constexpr int kWarpsM = kWarpsM_, kWarpsN = kWarpsN_;
  static constexpr int kThreads = 32 * kWarpsM * kWarpsN;
  static constexpr int kWarpM = kBlockM / kWarpsM, kWarpN = kBlockN / kWarpsN;  // outputs of a warp
  static constexpr int kDepth = 32;
  static constexpr int kStages = 4;
  static constexpr int kRowBytes = kDepth * 2;
  static constexpr int kStageBytes = (kBlockM + kBlockN) * kRowBytes;
  static constexpr size_t kSharedBytes = size_t{kStages} * kStageBytes;
  static_assert(kWarpM % 16 == 0 && kWarpN % 16 == 0);
};

/// The address of 16-byte chunk `chunk` of row `row` in a tile of 64-byte rows.
__device__ __forceinline__ uint32_t chunk_address(uint32_t tile, int row, int chunk) {
  return tile + row * 64 + ((chunk ^ (row >> 1 & 3)) << 4);
}

/// Eight elements from an address of any alignment, zeros from `count` on.
template <class T>
__device__ __forceinline__ uint4 load_unaligned(const T* from, int count) {
  uint32_t pairs[4];
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const uint32_t low = 2 * i < count ? from[2 * i].bits : 0;
    const uint32_t high = 2 * i + 1 < count ? from[2 * i + 1].bits : 0;
    pairs[i] = low | high << 16;
  }
  return make_uint4(pairs[0], pairs[1], pairs[2], pairs[3]);
}

/// kRows rows of a row-major matrix, 32 elements from k0 on, into a tile; zeros beyond its ends.
template <int kRows, int kThreads, bool kAligned, class T>
__device__ __forceinline__ void load_mma_tile(uint32_t tile, const T* matrix, int64_t stride, int64_t first,
                                              int64_t rows, int k0, int k) {
#pragma unroll
  for (int i = threadIdx.x; i < kRows * 4; i += kThreads) {
    const int row = i / 4, chunk = i % 4, depth = k0 + chunk * 8;
    const bool inside = first + row < rows && depth < k;
    const T* from = inside ? matrix + (first + row) * stride + depth : matrix;
    if constexpr (kAligned) {
      copy_async_16(chunk_address(tile, row, chunk), from, inside);
    } else {
      store_shared<uint4>(chunk_address(tile, row, chunk), load_unaligned(from, inside ? k - depth : 0));
    }
  }
}

/// One stage's contribution to a warp's outputs.
template <class Tile, class T>
__device__ __forceinline__ void multiply_stage(uint32_t a_tile, uint32_t w_tile,
                                               float (&sums)[Tile::kWarpM / 16][Tile::kWarpN / 8][4]) {
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int warp_row = warp / Tile::kWarpsN * Tile::kWarpM, warp_col = warp % Tile::kWarpsN * Tile::kWarpN;
#pragma unroll
  for (int step = 0; step < Tile::kDepth / 16; ++step) {
    uint32_t a[Tile::kWarpM / 16][4];
#pragma unroll
    for (int m = 0; m < Tile::kWarpM / 16; ++m) {
      ldmatrix_x4(a[m], chunk_address(a_tile, warp_row + m * 16 + lane % 16, step * 2 + lane / 16));
    }
#pragma unroll
    for (int n = 0; n < Tile::kWarpN / 16; ++n) {
      uint32_t w[4];
      ldmatrix_x4(w, chunk_address(w_tile, warp_col + n * 16 + lane / 16 * 8 + lane % 8, step * 2 + lane / 8 % 2));
#pragma unroll
      for (int m = 0; m < Tile::kWarpM / 16; ++m) {
        mma_16816<T>(sums[m][2 * n], a[m], w[0], w[1]);
        mma_16816<T>(sums[m][2 * n + 1], a[m], w[2], w[3]);
      }
    }
  }
}

template <class Tile, bool kAligned, bool kAnyActivation, class T, class Out>
__global__ void __launch_bounds__(Tile::kThreads) gemm_mma_kernel(GemmArgs<T, Out> args) {
  const uint32_t shared = shared_base();
  const int64_t first_row = int64_t{blockIdx.x} * Tile::kBlockM;
  const int first_col = blockIdx.y * Tile::kBlockN;
  const int steps = (args.k + Tile::kDepth - 1) / Tile::kDepth;
  const auto a_tile = [&](int step) { return shared + step % Tile::kStages * Tile::kStageBytes; };
  const auto w_tile = [&](int step) { return a_tile(step) + Tile::kBlockM * Tile::kRowBytes; };
  const auto load = [&](int step) {
    if (step < steps) {
      const int k0 = step * Tile::kDepth;
      load_mma_tile<Tile::kBlockM, Tile::kThreads, kAligned>(a_tile(step), args.a, args.a_stride, first_row, args.rows,
                                                             k0, args.k);
      load_mma_tile<Tile::kBlockN, Tile::kThreads, true>(w_tile(step), args.weight, args.pitch, first_col, args.n, k0,
                                                         static_cast<int>(args.pitch));
    }
    copy_async_commit();  // also where there is nothing to load: the waits below count groups
  };

  float sums[Tile::kWarpM / 16][Tile::kWarpN / 8][4] = {};
#pragma unroll
  for (int step = 0; step < Tile::kStages - 1; ++step) load(step);
  for (int step = 0; step < steps; ++step) {
    copy_async_wait<Tile::kStages - 2>();
    __syncthreads();
    load(step + Tile::kStages - 1);
    multiply_stage<Tile, T>(a_tile(step), w_tile(step), sums);
  }
  copy_async_wait<0>();

  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int64_t row = first_row + warp / Tile::kWarpsN * Tile::kWarpM + lane / 4;
  const int col = first_col + warp % Tile::kWarpsN * Tile::kWarpN + lane % 4 * 2;
#pragma unroll
  for (int m = 0; m < Tile::kWarpM / 16; ++m) {
#pragma unroll
    for (int n = 0; n < Tile::kWarpN / 8; ++n) {
      store_outputs<kAnyActivation>(args, row + m * 16, col + n * 8, sums[m][n][0], sums[m][n][1]);
      store_outputs<kAnyActivation>(args, row + m * 16 + 8, col + n * 8, sums[m][n][2], sums[m][n][3]);
    }
  }
}

}  // namespace deberta::cuda
