// Row movement as host functions: what elementwise.cuh has as kernels.
#pragma once

#include "backends/cuda/context.h"
#include "backends/cuda/row_shapes.h"

namespace deberta::cuda {

/// Device memory to device memory, converting `from` to `to`.
void copy_rows(Context& context, const char* op, const void* in, DType from, void* out, DType to,
               const CopyShape& shape);

void gather_sum(Context& context, const char* op, const GatherTerm& a, const GatherTerm& b, const GatherTerm& c,
                const Matrix& output);

void neighbours(Context& context, const void* input, const int32_t* cu_seqlens, void* columns, int64_t pitch,
                const NeighbourShape& shape);

void embedding(OpContext* context, const EmbeddingArgs& args) noexcept;
void gather_rows(OpContext* context, const GatherRowsArgs& args) noexcept;

}  // namespace deberta::cuda
