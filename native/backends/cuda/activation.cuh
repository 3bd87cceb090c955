// The activations of ops/activation.h in float32.
#pragma once

#include "backends/cuda/device.cuh"
#include "ops/activation.h"

namespace deberta::cuda {

__device__ __forceinline__ float gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f)); }

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

__device__ inline float activate_any(Activation activation, float x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGelu:
      return gelu(x);
    case Activation::kGeluTanh:
      return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case Activation::kGeluClipped:
      return fminf(fmaxf(gelu(x), -10.0f), 10.0f);
    case Activation::kQuickGelu:
      return x * sigmoid(1.702f * x);
    case Activation::kRelu:
      return fmaxf(x, 0.0f);
    case Activation::kRelu2:
      return fmaxf(x, 0.0f) * fmaxf(x, 0.0f);
    case Activation::kRelu6:
      return fminf(fmaxf(x, 0.0f), 6.0f);
    case Activation::kLeakyRelu:
      return x > 0.0f ? x : 0.01f * x;
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kMish:
      return x * tanhf(x > 20.0f ? x : log1pf(expf(x)));
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kTanh:
      return tanhf(x);
    case Activation::kLaplace:
      return 0.5f * (1.0f + erff((x - 0.707107f) / (0.282095f * 1.4142135623730951f)));
  }
  return x;
}

/// What an epilogue applies: kAny holds every activation, else none or GELU, whose code is small enough to be
/// everywhere.
template <bool kAny>
__device__ __forceinline__ float activate_epilogue(Activation activation, float x) {
  if constexpr (kAny) return activate_any(activation, x);
  return activation == Activation::kGelu ? gelu(x) : x;
}

}  // namespace deberta::cuda
