// Disentangled attention on the CPU. To be written by the attention engineer; this placeholder only links.
#include "backends/cpu/attention.h"

namespace deberta {

size_t attention_scratch_bytes(const WorkspaceShape&, const CpuContext&) { return 0; }
PackedPositions* cpu_pack_positions(OpContext*, const PositionsArgs&) { return nullptr; }
void cpu_free_positions(OpContext*, PackedPositions*) {}
void cpu_disentangled_attention(OpContext* context, const AttentionArgs&) noexcept {
  as_cpu(context).fail(ErrorCode::kINTERNAL, "attention is not built yet");
}

}  // namespace deberta
