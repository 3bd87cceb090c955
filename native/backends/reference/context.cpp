// Contexts, memory and copies: the device is the host, so every copy is a memcpy and nothing is ever in flight.
#include "backends/reference/context.h"

#include <cstring>
#include <limits>
#include <new>
#include <string>

#include "backends/reference/functions.h"
#include "backends/reference/values.h"

namespace deberta::reference {

constexpr std::align_val_t kAlignment{64};

OpContext* create_context(const ContextOptions& options) {
  if (options.compute_dtype != DType::kFloat32) {
    throw Error(ErrorCode::kBACKEND_UNAVAILABLE,
                std::string("the reference backend computes in float32, not in ") + dtype_name(options.compute_dtype));
  }
  return reinterpret_cast<OpContext*>(new Context());
}

void destroy_context(OpContext* context) { delete &own(context); }

void reserve(OpContext* context, const WorkspaceShape& shape) {
  const auto size = static_cast<size_t>(shape.num_heads * shape.max_seqlen);
  Context& self = own(context);
  if (size <= self.scores.size()) return;
  try {
    self.scores.resize(size);
    self.mixed.resize(size);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kOUT_OF_MEMORY,
                "attention scratch: cannot allocate 2 x " + std::to_string(size) + " doubles");
  }
}

void* allocate(OpContext*, size_t bytes) {
  void* memory = ::operator new(bytes, kAlignment, std::nothrow);
  if (!memory) throw Error(ErrorCode::kOUT_OF_MEMORY, "cannot allocate " + std::to_string(bytes) + " bytes");
  return memory;
}

void deallocate(OpContext*, void* memory) { ::operator delete(memory, kAlignment); }

void upload(OpContext*, void* device, const void* host, size_t bytes) {
  if (bytes > 0) std::memcpy(device, host, bytes);
}

void download(OpContext*, void* host, const void* device, size_t bytes) {
  if (bytes > 0) std::memcpy(host, device, bytes);
}

void upload_rows(OpContext*, const Matrix& device, const float* host) {
  for (int64_t r = 0; r < device.rows; ++r) {
    std::memcpy(row(device, r), host + r * device.cols, static_cast<size_t>(device.cols) * sizeof(float));
  }
}

void download_rows(OpContext*, float* host, const ConstMatrix& device) {
  for (int64_t r = 0; r < device.rows; ++r) {
    std::memcpy(host + r * device.cols, row(device, r), static_cast<size_t>(device.cols) * sizeof(float));
  }
}

void synchronize(OpContext* context) {
  Context& self = own(context);
  if (!self.failure) return;
  const char* failure = self.failure;
  self.failure = nullptr;
  throw Error(ErrorCode::kINTERNAL, failure);
}

DType activation_dtype(const OpContext*) { return DType::kFloat32; }

int64_t rows_at_once(const OpContext*) { return std::numeric_limits<int64_t>::max(); }

size_t packed_bytes(const OpContext* context) { return *own(context).packed_bytes; }

}  // namespace deberta::reference
