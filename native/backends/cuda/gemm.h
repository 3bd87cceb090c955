// Matrix products with what follows them: out = activation(A W^T + bias) + residual. Which kernel runs depends on
// dtype, shape, alignment and device; the result's definition does not.
#pragma once

#include "backends/cuda/context.h"
#include "backends/cuda/packed.h"

namespace deberta::cuda {

/// One product, untyped. A, residual and output are of the compute dtype unless float_output.
struct Gemm {
  const char* op = nullptr;
  ConstMatrix a;                 // [rows, k]
  const void* weight = nullptr;  // [n, pitch], zeros beyond k
  int64_t pitch = 0;
  int64_t n = 0;
  const float* bias = nullptr;  // [n] or null
  Activation activation = Activation::kNone;
  ConstMatrix residual;    // [rows, n] or absent; may be the output
  void* output = nullptr;  // [rows, n]
  int64_t output_stride = 0;
  bool float_output = false;
};

void gemm(Context& context, const Gemm& problem);

/// The same on wgmma and tensor copies, for sm_90a. False, with nothing done, where the shape is not for it.
bool gemm_warpgroup(Context& context, const Gemm& problem);

void linear(OpContext* context, const LinearArgs& args) noexcept;
void conv1d(OpContext* context, const ConvArgs& args) noexcept;
void tied_logits(OpContext* context, const TiedLogitsArgs& args) noexcept;

}  // namespace deberta::cuda
