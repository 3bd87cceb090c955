// The activations that Hugging Face's ACT2FN names and that have no weights of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

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

/// The activation that config.json calls `name`, or nothing where it is unknown or needs weights ("prelu", "xielu").
/// Source: transformers ACT2FN (transformers/activations.py).
std::optional<Activation> activation_from_name(std::string_view name);

/// One value, in double: the definition that every backend is held to.
double activate(Activation activation, double x);

}  // namespace deberta
