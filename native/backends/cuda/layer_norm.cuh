// output = LayerNorm(input + residual) * weight + bias, one warp per row. The row stays in registers where it fits, so
// that it is read once; mean first, then the centred squares: no cancellation.
#pragma once

#include "backends/cuda/device.cuh"

namespace deberta::cuda {

template <class T>
struct LayerNormShape {
  const T* input;
  const T* residual;  // null: none
  T* output;
  const float* weight;
  const float* bias;
  int64_t input_stride, residual_stride, output_stride;
  int64_t rows, features;
  float eps;
  int32_t unused;  // no padding: recorded launches are compared byte by byte
};

constexpr int kLayerNormWarps = 4;

__device__ __forceinline__ float warp_sum(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value += __shfl_xor_sync(0xFFFFFFFFu, value, mask);
  return value;
}

/// Rows of at most 32 * kPerLane features: lane l holds features l, l + 32, ...
template <class T, int kPerLane>
__global__ void __launch_bounds__(32 * kLayerNormWarps) layer_norm_kernel(LayerNormShape<T> shape) {
  const int lane = threadIdx.x % 32;
  const int64_t row = int64_t{blockIdx.x} * kLayerNormWarps + threadIdx.x / 32;
  if (row >= shape.rows) return;
  const T* input = shape.input + row * shape.input_stride;
  const T* residual = shape.residual + row * shape.residual_stride;
  float x[kPerLane];
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    const int64_t f = lane + 32 * i;
    x[i] = 0.0f;
    if (f >= shape.features) continue;
    x[i] = to_float(input[f]) + (shape.residual ? to_float(residual[f]) : 0.0f);
    sum += x[i];
  }
  const float mean = warp_sum(sum) / static_cast<float>(shape.features);
  float squares = 0.0f;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    const float centred = lane + 32 * i < shape.features ? x[i] - mean : 0.0f;
    squares += centred * centred;
  }
  const float scale = 1.0f / sqrtf(warp_sum(squares) / static_cast<float>(shape.features) + shape.eps);
  T* output = shape.output + row * shape.output_stride;
#pragma unroll
  for (int i = 0; i < kPerLane; ++i) {
    const int64_t f = lane + 32 * i;
    if (f < shape.features) output[f] = from_float<T>((x[i] - mean) * scale * shape.weight[f] + shape.bias[f]);
  }
}

/// The same for even features up to 64 * kPairs in 16 bits: lane l holds the pairs l, l + 32, ...
template <class T, int kPairs>
__global__ void __launch_bounds__(32 * kLayerNormWarps) layer_norm_pairs_kernel(LayerNormShape<T> shape) {
  const int lane = threadIdx.x % 32;
  const int64_t row = int64_t{blockIdx.x} * kLayerNormWarps + threadIdx.x / 32;
  if (row >= shape.rows) return;
  const auto* input = reinterpret_cast<const uint32_t*>(shape.input + row * shape.input_stride);
  const auto* residual = reinterpret_cast<const uint32_t*>(shape.residual + row * shape.residual_stride);
  const int pairs = static_cast<int>(shape.features / 2);
  float x[kPairs][2];
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < kPairs; ++i) {
    const int p = lane + 32 * i;
    x[i][0] = x[i][1] = 0.0f;
    if (p >= pairs) continue;
    unpack_pair<T>(input[p], x[i][0], x[i][1]);
    if (shape.residual) {
      float low, high;
      unpack_pair<T>(residual[p], low, high);
      x[i][0] += low;
      x[i][1] += high;
    }
    sum += x[i][0] + x[i][1];
  }
  const float mean = warp_sum(sum) / static_cast<float>(shape.features);
  float squares = 0.0f;
#pragma unroll
  for (int i = 0; i < kPairs; ++i) {
    if (lane + 32 * i >= pairs) continue;
    squares += (x[i][0] - mean) * (x[i][0] - mean) + (x[i][1] - mean) * (x[i][1] - mean);
  }
  const float scale = 1.0f / sqrtf(warp_sum(squares) / static_cast<float>(shape.features) + shape.eps);
  auto* output = reinterpret_cast<uint32_t*>(shape.output + row * shape.output_stride);
#pragma unroll
  for (int i = 0; i < kPairs; ++i) {
    const int p = lane + 32 * i;
    if (p >= pairs) continue;
    const auto weight = reinterpret_cast<const float2*>(shape.weight)[p];
    const auto bias = reinterpret_cast<const float2*>(shape.bias)[p];
    output[p] =
        pack_pair<T>((x[i][0] - mean) * scale * weight.x + bias.x, (x[i][1] - mean) * scale * weight.y + bias.y);
  }
}

/// Rows of any length, read three times.
template <class T>
__global__ void __launch_bounds__(32 * kLayerNormWarps) layer_norm_long_kernel(LayerNormShape<T> shape) {
  const int lane = threadIdx.x % 32;
  const int64_t row = int64_t{blockIdx.x} * kLayerNormWarps + threadIdx.x / 32;
  if (row >= shape.rows) return;
  const T* input = shape.input + row * shape.input_stride;
  const T* residual = shape.residual + row * shape.residual_stride;
  const auto value = [&](int64_t f) { return to_float(input[f]) + (shape.residual ? to_float(residual[f]) : 0.0f); };
  float sum = 0.0f;
  for (int64_t f = lane; f < shape.features; f += 32) sum += value(f);
  const float mean = warp_sum(sum) / static_cast<float>(shape.features);
  float squares = 0.0f;
  for (int64_t f = lane; f < shape.features; f += 32) squares += (value(f) - mean) * (value(f) - mean);
  const float scale = 1.0f / sqrtf(warp_sum(squares) / static_cast<float>(shape.features) + shape.eps);
  T* output = shape.output + row * shape.output_stride;
  // `output` may be `input`: each lane overwrites only what it alone still reads.
  for (int64_t f = lane; f < shape.features; f += 32) {
    output[f] = from_float<T>((value(f) - mean) * scale * shape.weight[f] + shape.bias[f]);
  }
}

}  // namespace deberta::cuda
