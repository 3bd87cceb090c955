// Disentangled attention: which of the kernels an AttentionArgs gets.
#pragma once

#include "backends/cuda/context.h"
#include "backends/cuda/packed.h"

namespace deberta::cuda {

/// Sizes the scratch of the attention kernels; the device must be idle.
void reserve_attention(Context& context, const WorkspaceShape& shape);

void disentangled_attention(OpContext* context, const AttentionArgs& args) noexcept;

/// The band kernel on wgmma and tensor copies, for sm_90a. False, with nothing done, where the shape is not for it.
bool attention_warpgroup(Context& context, const AttentionArgs& args);

}  // namespace deberta::cuda
