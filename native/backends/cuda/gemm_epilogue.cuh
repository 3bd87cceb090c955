// What the matrix product kernels take, and the end they share: bias, activation, residual, store.
#pragma once

#include "backends/cuda/activation.cuh"
#include "backends/cuda/device.cuh"

namespace deberta::cuda {

/// out [rows, n] = activation(a [rows, k] weight^T [k, n] + bias) + residual.
template <class T, class Out>
struct GemmArgs {
  const T* a;
  const T* weight;
  const float* bias;  // null: none
  const T* residual;  // null: none
  Out* output;
  int64_t a_stride, pitch, residual_stride, output_stride;  // elements
  int32_t rows, n, k;
  int32_t activation;    // an Activation
  int32_t pair_aligned;  // output and residual rows start on whole pairs
  int32_t unused;        // no padding: recorded launches are compared byte by byte
};

/// Elements (row, col) and (row, col + 1) of the product, col even.
template <bool kAnyActivation, class T, class Out>
__device__ __forceinline__ void store_outputs(const GemmArgs<T, Out>& args, int64_t row, int col, float x0, float x1) {
  if (row >= args.rows || col >= args.n) return;
  const bool both = col + 1 < args.n;
  const auto activation = static_cast<Activation>(args.activation);
  if (args.bias) {
    x0 += args.bias[col];
    if (both) x1 += args.bias[col + 1];
  }
  x0 = activate_epilogue<kAnyActivation>(activation, x0);
  x1 = activate_epilogue<kAnyActivation>(activation, x1);
  if (args.residual) {
    const T* residual = args.residual + row * args.residual_stride + col;
    float r0, r1 = 0.0f;
    if constexpr (sizeof(T) == 2) {
      if (both && args.pair_aligned) {
        unpack_pair<T>(*reinterpret_cast<const uint32_t*>(residual), r0, r1);
      } else {
        r0 = to_float(residual[0]);
        if (both) r1 = to_float(residual[1]);
      }
    } else {
      r0 = residual[0];
      if (both) r1 = residual[1];
    }
    x0 += r0;
    x1 += r1;
  }
  Out* output = args.output + row * args.output_stride + col;
  if constexpr (sizeof(Out) == 2) {
    if (both && args.pair_aligned) {
      *reinterpret_cast<uint32_t*>(output) = pack_pair<Out>(x0, x1);
      return;
    }
  } else if (both && args.pair_aligned) {
    *reinterpret_cast<float2*>(output) = make_float2(x0, x1);
    return;
  }
  output[0] = from_float<Out>(x0);
  if (both) output[1] = from_float<Out>(x1);
}

}  // namespace deberta::cuda
