// Conv1d along each sequence: packed weights and the op. See ops/ops.h for the contracts.
#pragma once

#include "ops/ops.h"

namespace deberta {

PackedConv* cpu_pack_conv(OpContext* context, const ConvWeight& weight);
void cpu_free_conv(OpContext* context, PackedConv* packed);
void cpu_conv1d(OpContext* context, const ConvArgs& args) noexcept;

}  // namespace deberta
