// Residual + LayerNorm. See ops/ops.h for the contract.
#pragma once

#include "ops/ops.h"

namespace deberta {

void cpu_add_layer_norm(OpContext* context, const AddLayerNormArgs& args) noexcept;

}  // namespace deberta
