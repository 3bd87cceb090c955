// From an untyped Gemm to what a kernel takes.
#pragma once

#include "backends/cuda/gemm.h"
#include "backends/cuda/gemm_epilogue.cuh"

namespace deberta::cuda {

template <class T, class Out>
GemmArgs<T, Out> gemm_args(const Gemm& problem) {
  GemmArgs<T, Out> args{};
  args.a = static_cast<const T*>(problem.a.data);
  args.weight = static_cast<const T*>(problem.weight);
  args.bias = problem.bias;
  args.residual = static_cast<const T*>(problem.residual.data);
  args.output = static_cast<Out*>(problem.output);
  args.a_stride = problem.a.stride;
  args.pitch = problem.pitch;
  args.residual_stride = problem.residual.stride;
  args.output_stride = problem.output_stride;
  args.rows = static_cast<int32_t>(problem.a.rows);
  args.n = static_cast<int32_t>(problem.n);
  args.k = static_cast<int32_t>(problem.a.cols);
  args.activation = static_cast<int32_t>(problem.activation);
  args.pair_aligned = reinterpret_cast<uintptr_t>(problem.output) % (2 * sizeof(Out)) == 0 &&
                      reinterpret_cast<uintptr_t>(problem.residual.data) % (2 * sizeof(T)) == 0 &&
                      (problem.output_stride | problem.residual.stride) % 2 == 0;
  return args;
}

}  // namespace deberta::cuda
