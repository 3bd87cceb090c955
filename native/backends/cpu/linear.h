// Linear layers: packed weights and the op. See ops/ops.h for the contracts.
#pragma once

#include "ops/ops.h"

namespace deberta {

PackedLinear* cpu_pack_linear(OpContext* context, const LinearPart* parts, int num_parts);
void cpu_free_linear(OpContext* context, PackedLinear* packed);
void cpu_linear(OpContext* context, const LinearArgs& args) noexcept;

}  // namespace deberta
