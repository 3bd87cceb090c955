#pragma once

#include "ops/ops.h"

namespace deberta::cuda {

void add_layer_norm(OpContext* context, const AddLayerNormArgs& args) noexcept;

}  // namespace deberta::cuda
