// The functions of the reference table, one file per group. Contracts: ops/ops.h.
#pragma once

#include "ops/ops.h"

namespace deberta::reference {

// context.cpp
OpContext* create_context(const ContextOptions& options);
void destroy_context(OpContext* context);
void reserve(OpContext* context, const WorkspaceShape& shape);
void* allocate(OpContext* context, size_t bytes);
void deallocate(OpContext* context, void* memory);
void upload(OpContext* context, void* device, const void* host, size_t bytes);
void upload_rows(OpContext* context, const Matrix& device, const float* host);
void download_rows(OpContext* context, float* host, const ConstMatrix& device);
void download(OpContext* context, void* host, const void* device, size_t bytes);
void synchronize(OpContext* context);
DType activation_dtype(const OpContext* context);
int64_t rows_at_once(const OpContext* context);
size_t packed_bytes(const OpContext* context);

// linear.cpp
PackedLinear* pack_linear(OpContext* context, const LinearPart* parts, int num_parts);
void free_linear(OpContext* context, PackedLinear* packed);
void linear(OpContext* context, const LinearArgs& args) noexcept;

// layer_norm.cpp
void add_layer_norm(OpContext* context, const AddLayerNormArgs& args) noexcept;

// embedding.cpp
PackedTable* pack_table(OpContext* context, const WeightView& table);
void free_table(OpContext* context, PackedTable* packed);
void embedding(OpContext* context, const EmbeddingArgs& args) noexcept;

// attention.cpp
PackedPositions* pack_positions(OpContext* context, const PositionsArgs& args);
void free_positions(OpContext* context, PackedPositions* packed);
void disentangled_attention(OpContext* context, const AttentionArgs& args) noexcept;

// conv.cpp
PackedConv* pack_conv(OpContext* context, const ConvWeight& weight);
void free_conv(OpContext* context, PackedConv* packed);
void conv1d(OpContext* context, const ConvArgs& args) noexcept;

// gather_logits.cpp
void gather_rows(OpContext* context, const GatherRowsArgs& args) noexcept;
void tied_logits(OpContext* context, const TiedLogitsArgs& args) noexcept;

}  // namespace deberta::reference
