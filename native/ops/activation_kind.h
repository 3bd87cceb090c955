// The list of activations, apart from activation.h because instruction-set files may include C headers only.
#pragma once

#include <stdint.h>

namespace deberta {

enum class Activation : uint8_t {
  kNone,         // "linear"
  kGelu,         // "gelu", "gelu_python": x * Phi(x) with erf, exact
  kGeluTanh,     // "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_accurate", "gelu_python_tanh"
  kGeluClipped,  // "gelu_10": gelu clipped to [-10, 10]
  kQuickGelu,    // "quick_gelu": x * sigmoid(1.702 x)
  kRelu,         // "relu"
  kRelu2,        // "relu2": relu(x)^2
  kRelu6,        // "relu6"
  kLeakyRelu,    // "leaky_relu": slope 0.01
  kSilu,         // "silu", "swish"
  kMish,         // "mish": x * tanh(softplus(x))
  kSigmoid,      // "sigmoid"
  kTanh,         // "tanh"
  kLaplace,      // "laplace": 0.5 * (1 + erf((x - sqrt(1/2)) / (sqrt(1/(4 pi)) * sqrt 2)))
};

}  // namespace deberta
