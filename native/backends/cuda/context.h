// What an OpContext is here: one stream on one device, its memory, its recorded launches and the error that stuck to
// it.
#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <string>
#include <unordered_map>

#include "backends/cuda/command_list.h"
#include "backends/cuda/memory_pool.h"
#include "base/error.h"
#include "ops/ops.h"

namespace deberta::cuda {

struct DeviceInfo {
  int index = 0;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;

  /// Whether the wgmma and tensor-copy kernels run here: they are built for sm_90a alone.
  bool warpgroups() const { return major == 9 && minor == 0; }
};

/// Device memory that grows on request and is otherwise kept.
class ScratchBuffer {
 public:
  ~ScratchBuffer();
  /// At least `bytes`; the content is lost when it grows. The device must be done with it.
  void reserve(size_t bytes, const char* what);
  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

/// Pinned host memory through which small uploads go, so that they neither wait nor pin.
class UploadStage {
 public:
  ~UploadStage();
  /// A place for `bytes`, or null where there is no room before the next reset().
  void* take(size_t bytes);
  void reset() { used_ = 0; }

 private:
  unsigned char* data_ = nullptr;
  size_t used_ = 0;
};

struct Context {
  Context(const DeviceInfo& device, DType dtype);
  ~Context();

  DeviceInfo device;
  DType dtype;
  cudaStream_t stream = nullptr;
  std::unique_ptr<CommandList> commands;
  MemoryPool pool;
  UploadStage stage;
  ScratchBuffer far_field;                                // [2, heads, tokens] float: attention_far_field.cuh
  ScratchBuffer attention_rows;                           // [blocks, 2, heads, longest] float: attention_rows.cuh
  ScratchBuffer neighbours;                               // of one chunk of tokens of a convolution: Conv
  std::unordered_map<const void*, size_t> shared_limits;  // of the kernels that want more than 48 KB
  size_t packed_bytes = 0;

  bool failed = false;  // the first error of an op, until synchronize
  ErrorCode failure_code = ErrorCode::kDEVICE;
  std::string failure_message;

  /// Makes the device that of the calling thread, which may never have seen it.
  void use_device() const { cudaSetDevice(device.index); }

  /// Remembers the first failure.
  void fail(ErrorCode code, const std::string& message);
  void fail(const LaunchFailure& failure);
  /// Waits for the device; throws what stuck, and clears it.
  void synchronize();
};

inline Context& own(OpContext* context) { return *reinterpret_cast<Context*>(context); }
inline const Context& own(const OpContext* context) { return *reinterpret_cast<const Context*>(context); }

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

}  // namespace deberta::cuda
