// float32 products on the ordinary multiply-add units: no TF32, the float32 path is for parity. A block of 256 threads
// makes 64 x 64 outputs, a thread 4 x 4.
#pragma once

#include "backends/cuda/gemm_epilogue.cuh"

namespace deberta::cuda {

constexpr int kSimtTile = 64;
constexpr int kSimtDepth = 16;
constexpr int kSimtPitch = kSimtTile + 4;  // 16-byte rows that start in different banks
constexpr int kSimtThreads = 256;
constexpr size_t kSimtSharedBytes = 2 * kSimtDepth * kSimtPitch * sizeof(float);

/// Rows [first, first + 64) by depth [k0, k0 + 16) of a row-major matrix into shared [k][row], zeros beyond its ends.
__device__ __forceinline__ void load_simt_tile(uint32_t shared, const float* matrix, int64_t stride, int64_t first,
                                               int64_t rows, int k0, int k) {
#pragma unroll
  for (int i = 0; i < kSimtTile * kSimtDepth / kSimtThreads; ++i) {
    const int element = threadIdx.x + i * kSimtThreads;
    const int row = element / kSimtDepth, depth = element % kSimtDepth;
    const bool inside = first + row < rows && k0 + depth < k;
    const float value = inside ? matrix[(first + row) * stride + k0 + depth] : 0.0f;
    store_shared<float>(shared + (depth * kSimtPitch + row) * sizeof(float), value);
  }
}

__global__ void __launch_bounds__(kSimtThreads) gemm_simt_kernel(GemmArgs<float, float> args) {
  const uint32_t a_tile = shared_base();
  const uint32_t w_tile = a_tile + kSimtDepth * kSimtPitch * sizeof(float);
  const int64_t first_row = int64_t{blockIdx.x} * kSimtTile;
  const int first_col = blockIdx.y * kSimtTile;
  const int row = threadIdx.x / 16 * 4, col = threadIdx.x % 16 * 4;
  float sums[4][4] = {};
  for (int k0 = 0; k0 < args.k; k0 += kSimtDepth) {
    load_simt_tile(a_tile, args.a, args.a_stride, first_row, args.rows, k0, args.k);
    load_simt_tile(w_tile, args.weight, args.pitch, first_col, args.n, k0, args.k);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kSimtDepth; ++k) {
      const float4 a = load_shared<float4>(a_tile + (k * kSimtPitch + row) * sizeof(float));
      const float4 w = load_shared<float4>(w_tile + (k * kSimtPitch + col) * sizeof(float));
      const float as[4] = {a.x, a.y, a.z, a.w}, ws[4] = {w.x, w.y, w.z, w.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) sums[i][j] = fmaf(as[i], ws[j], sums[i][j]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; ++i) {
#pragma unroll
    for (int j = 0; j < 4; j += 2) {
      store_outputs<true>(args, first_row + row + i, first_col + col + j, sums[i][j], sums[i][j + 1]);
    }
  }
}

}  // namespace deberta::cuda
