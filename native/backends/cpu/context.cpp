// Contexts, memory and the movement of whole tensors.
#include "backends/cpu/context.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "backends/cpu/attention.h"
#include "backends/cpu/context_ops.h"
#include "backends/cpu/gemm_driver.h"
#include "backends/cpu/pack_weights.h"

namespace deberta {

namespace {

// Packed rows of one wave. 16 MiB: 1365 rows of 3072 floats, enough for row blocks to keep every thread busy.
constexpr size_t kSharedScratch = size_t{16} << 20;

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

size_t shared_scratch_bytes(const WorkspaceShape& shape) {
  const size_t row = static_cast<size_t>(padded_k(shape.max_features)) * sizeof(float);
  const size_t all_rows = static_cast<size_t>(std::max<int64_t>(shape.total_tokens, 1)) * row;
  return std::max(kMinSharedScratch, std::min(all_rows, kSharedScratch));
}

// The sums of a row block and two panels: table rows as they lie and transposed (tied_logits), the most a product
// needs.
size_t gemm_scratch_bytes(const WorkspaceShape& shape) {
  return kProductBytes + size_t{2} * kMaxPanelWidth * static_cast<size_t>(padded_k(shape.max_features)) * sizeof(float);
}

}  // namespace

void cpu_destroy_context(OpContext* context) { delete &as_cpu(context); }

void cpu_reserve(OpContext* op_context, const WorkspaceShape& shape) {
  CpuContext& context = as_cpu(op_context);
  if (shape.total_tokens == 0) {
    context.shared_scratch = AlignedBuffer();
    context.worker_scratch = AlignedBuffer();
    context.worker_scratch_bytes = 0;
    return;
  }
  const size_t shared = shared_scratch_bytes(shape);
  if (context.shared_scratch.size() < shared) context.shared_scratch = AlignedBuffer(shared, "packed activations");
  // Arenas start on pages of their own: neighbours in one page would share prefetched lines.
  const size_t worker = round_up(std::max(gemm_scratch_bytes(shape), attention_scratch_bytes(shape, context)), 4096);
  if (context.worker_scratch_bytes < worker) {
    context.worker_scratch = AlignedBuffer(worker * static_cast<size_t>(context.threads), "scratch of compute threads");
    context.worker_scratch_bytes = worker;
  }
}

void* cpu_allocate(OpContext*, size_t bytes) {
  void* memory = allocate_aligned(bytes);  // huge pages: 2 % of the time at 32x128 of v3-base
  if (memory == nullptr) {
    throw Error(ErrorCode::kOUT_OF_MEMORY, "could not allocate " + std::to_string(bytes) + " bytes");
  }
  return memory;
}

void cpu_deallocate(OpContext*, void* memory) { std::free(memory); }

void cpu_upload(OpContext*, void* device, const void* host, size_t bytes) {
  if (bytes > 0) std::memcpy(device, host, bytes);
}

void cpu_download(OpContext*, void* host, const void* device, size_t bytes) {
  if (bytes > 0) std::memcpy(host, device, bytes);
}

void cpu_upload_rows(OpContext*, const Matrix& device, const float* host) {
  for (int64_t r = 0; r < device.rows; ++r) {
    std::memcpy(static_cast<float*>(device.data) + r * device.stride, host + r * device.cols,
                static_cast<size_t>(device.cols) * sizeof(float));
  }
}

void cpu_download_rows(OpContext*, float* host, const ConstMatrix& device) {
  for (int64_t r = 0; r < device.rows; ++r) {
    std::memcpy(host + r * device.cols, static_cast<const float*>(device.data) + r * device.stride,
                static_cast<size_t>(device.cols) * sizeof(float));
  }
}

void cpu_synchronize(OpContext* op_context) {
  CpuContext& context = as_cpu(op_context);
  if (context.error == nullptr) return;
  const Error error(context.error_code, context.error);
  context.error = nullptr;
  throw error;
}

DType cpu_activation_dtype(const OpContext*) { return DType::kFloat32; }

// v3-base, 32x128, 2 threads, against all rows at once: in float32 3 % less time with 512 rows and 2 % with 1024; in
// bfloat16 and int8, whose products are shorter, 1 % and 2 to 3 %. Between 256 and 2048 the choice matters little.
int64_t cpu_rows_at_once(const OpContext* context) {
  return as_cpu(context).compute_dtype == DType::kFloat32 ? 512 : 1024;
}

size_t cpu_packed_bytes(const OpContext* context) { return as_cpu(context).packed_bytes->load(); }

}  // namespace deberta
