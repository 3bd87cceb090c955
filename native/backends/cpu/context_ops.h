// The entries of the op table that set up contexts and move whole tensors. See ops/ops.h for the contracts.
#pragma once

#include "ops/ops.h"

namespace deberta {

void cpu_destroy_context(OpContext* context);
void cpu_reserve(OpContext* context, const WorkspaceShape& shape);
void* cpu_allocate(OpContext* context, size_t bytes);
void cpu_deallocate(OpContext* context, void* memory);
void cpu_upload(OpContext* context, void* device, const void* host, size_t bytes);
void cpu_upload_rows(OpContext* context, const Matrix& device, const float* host);
void cpu_download_rows(OpContext* context, float* host, const ConstMatrix& device);
void cpu_download(OpContext* context, void* host, const void* device, size_t bytes);
void cpu_synchronize(OpContext* context);
DType cpu_activation_dtype(const OpContext* context);
int64_t cpu_rows_at_once(const OpContext* context);
size_t cpu_packed_bytes(const OpContext* context);

}  // namespace deberta
