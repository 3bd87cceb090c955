// Kernels that move rows: conversion between dtypes, sums of gathered rows (embeddings), the neighbours of a
// convolution.
#pragma once

#include "backends/cuda/device.cuh"
#include "backends/cuda/row_shapes.h"

namespace deberta::cuda {

/// out[r, c] = in[r, c], converted. One thread per output element.
template <class In, class Out>
__global__ void copy_kernel(const In* in, Out* out, CopyShape shape) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= shape.rows * shape.out_cols) return;
  const int64_t row = i / shape.out_cols, col = i % shape.out_cols;
  const float value = col < shape.cols ? to_float(in[row * shape.in_stride + col]) : 0.0f;
  out[row * shape.out_stride + col] = from_float<Out>(value);
}

/// out[r] = the sum of up to three gathered rows. One thread per element.
template <class T>
__global__ void gather_sum_kernel(GatherTerm a, GatherTerm b, GatherTerm c, T* out, int64_t out_stride, int64_t rows,
                                  int64_t features) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= rows * features) return;
  const int64_t row = i / features, col = i % features;
  float sum = to_float(static_cast<const T*>(a.data)[a.rows[row] * a.stride + col]);
  if (b.data) sum += to_float(static_cast<const T*>(b.data)[b.rows[row] * b.stride + col]);
  if (c.data) sum += to_float(static_cast<const T*>(c.data)[c.rows[row] * c.stride + col]);
  out[row * out_stride + col] = from_float<T>(sum);
}

/// The sequence that token `token` is in: the largest s with cu_seqlens[s] <= token. Empty sequences own no token.
__device__ __forceinline__ int find_sequence(const int32_t* cu_seqlens, int num_sequences, int64_t token) {
  int low = 0, high = num_sequences - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (cu_seqlens[middle] <= token) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/// columns[t, tap * channels + c] = input[first_token + t + tap - kernel_size / 2, first_channel + c], zero beyond the
/// ends of the token's sequence. One thread per element.
template <class T>
__global__ void neighbours_kernel(const T* input, const int32_t* cu_seqlens, T* columns, int64_t pitch,
                                  NeighbourShape shape) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int64_t width = int64_t{shape.kernel_size} * shape.channels;
  if (i >= shape.num_tokens * width) return;
  const int64_t t = i / width, column = i % width;
  const int64_t token = shape.first_token + t;
  const int sequence = find_sequence(cu_seqlens, shape.num_sequences, token);
  const int64_t source = token + column / shape.channels - shape.kernel_size / 2;
  const bool inside = source >= cu_seqlens[sequence] && source < cu_seqlens[sequence + 1];
  const int64_t channel = shape.first_channel + column % shape.channels;
  columns[t * pitch + column] = inside ? input[source * shape.input_stride + channel] : from_float<T>(0.0f);
}

}  // namespace deberta::cuda
