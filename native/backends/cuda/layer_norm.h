// LayerNorm as an op; the kernels are in layer_norm.cuh.
#pragma once

#include "ops/ops.h"

namespace deberta::cuda {

void add_layer_norm(OpContext* context, const AddLayerNormArgs& args) noexcept;

}  // namespace deberta::cuda
