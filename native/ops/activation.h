// The activations that Hugging Face's ACT2FN names and that have no weights of their own.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ops/activation_kind.h"

namespace deberta {

/// The activation that config.json calls `name`, or nothing where it is unknown or needs weights ("prelu", "xielu").
/// Source: transformers ACT2FN (transformers/activations.py).
std::optional<Activation> activation_from_name(std::string_view name);

/// One value, in double: the definition that every backend is held to.
double activate(Activation activation, double x);

}  // namespace deberta
