// Disentangled attention on the CPU: packing of the position tables, and the op. See attention.cpp.
#pragma once

#include "backends/cpu/context.h"
#include "ops/ops.h"

namespace deberta {

/// What one worker needs for the attention of any batch within `shape`; a multiple of 64.
size_t attention_scratch_bytes(const WorkspaceShape& shape, const CpuContext& context);

PackedPositions* cpu_pack_positions(OpContext* context, const PositionsArgs& args);
void cpu_free_positions(OpContext* context, PackedPositions* packed);
void cpu_disentangled_attention(OpContext* context, const AttentionArgs& args) noexcept;

}  // namespace deberta
