// Setting up and moving memory: the entries of the op table that are about the context itself.
#include "backends/cuda/context.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "backends/cuda/attention.h"
#include "backends/cuda/errors.h"
#include "backends/cuda/packed.h"

namespace deberta::cuda {

namespace {

// Forwards of more tokens than this run long enough that launching ahead beats replaying a graph.
constexpr int64_t kRecordedTokens = 4096;
constexpr size_t kStageBytes = 1 << 20;

DeviceInfo describe(int index) {
  int count = 0;
  check("create_context", cudaGetDeviceCount(&count));
  if (index < 0 || index >= count) {
    throw Error(ErrorCode::kBACKEND_UNAVAILABLE,
                "cuda:" + std::to_string(index) + " was asked for; there are " + std::to_string(count) + " devices");
  }
  cudaDeviceProp properties;
  check("create_context", cudaGetDeviceProperties(&properties, index));
  return {index, properties.major, properties.minor, properties.multiProcessorCount};
}

}  // namespace

ScratchBuffer::~ScratchBuffer() { cudaFree(data_); }

void ScratchBuffer::reserve(size_t bytes, const char* what) {
  if (bytes <= bytes_) return;
  cudaFree(data_);
  data_ = nullptr;
  bytes_ = 0;
  data_ = allocate_device(bytes, what);
  bytes_ = bytes;
}

UploadStage::~UploadStage() { cudaFreeHost(data_); }

void* UploadStage::take(size_t bytes) {
  if (!data_) {
    void* memory = nullptr;
    if (cudaMallocHost(&memory, kStageBytes) != cudaSuccess) {
      cudaGetLastError();
      return nullptr;
    }
    data_ = static_cast<unsigned char*>(memory);
  }
  const size_t rounded = (bytes + 63) / 64 * 64;
  if (rounded > kStageBytes - used_) return nullptr;
  void* place = data_ + used_;
  used_ += rounded;
  return place;
}

Context::Context(const DeviceInfo& device, DType dtype) : device(device), dtype(dtype) {
  check("create_context", cudaSetDevice(device.index));
  check("create_context", cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
  commands = std::make_unique<CommandList>(stream);
}

Context::~Context() {
  use_device();
  cudaStreamSynchronize(stream);
  commands.reset();
  cudaStreamDestroy(stream);
}

void Context::fail(ErrorCode code, const std::string& message) {
  if (failed) return;
  failed = true;
  failure_code = code;
  failure_message = message;
}

void Context::fail(const LaunchFailure& failure) {
  if (failure.error == cudaSuccess) return;
  cudaGetLastError();
  fail(failure.error == cudaErrorMemoryAllocation ? ErrorCode::kOUT_OF_MEMORY : ErrorCode::kDEVICE,
       std::string(failure.op) + ": " + cudaGetErrorName(failure.error) + ": " + cudaGetErrorString(failure.error));
}

void Context::synchronize() {
  use_device();
  if (!failed) fail(commands->flush());
  commands->pending().clear();
  const cudaError_t error = cudaStreamSynchronize(stream);
  if (error != cudaSuccess) fail(LaunchFailure{error, "synchronize"});
  stage.reset();
  if (!failed) return;
  failed = false;
  throw Error(failure_code, std::exchange(failure_message, {}));
}

OpContext* create_context(const ContextOptions& options) {
  if (options.compute_dtype == DType::kInt8) {
    throw Error(ErrorCode::kBACKEND_UNAVAILABLE,
                "cuda: dtype int8 was asked for; float32, bfloat16, float16 are there");
  }
  auto* context = new Context(describe(options.device_index), options.compute_dtype);
  return reinterpret_cast<OpContext*>(context);
}

void destroy_context(OpContext* context) { delete &own(context); }

void reserve(OpContext* context, const WorkspaceShape& shape) {
  Context& self = own(context);
  self.use_device();
  self.synchronize();
  reserve_attention(self, shape);
  self.neighbours.reserve(widest_neighbours(), "neighbours of a convolution");
  self.fail(self.commands->set_recording(shape.total_tokens <= kRecordedTokens));
}

void* allocate(OpContext* context, size_t bytes) {
  Context& self = own(context);
  self.use_device();
  try {
    return self.pool.allocate(bytes);
  } catch (const Error& error) {
    // What is on the shelves may be in use by launches that are recorded or running: let them end, then give it back.
    if (error.code() != ErrorCode::kOUT_OF_MEMORY) throw;
    self.synchronize();
    self.pool.trim();
    return self.pool.allocate(bytes);
  }
}

void deallocate(OpContext* context, void* memory) { own(context).pool.deallocate(memory); }

void upload(OpContext* context, void* device, const void* host, size_t bytes) {
  Context& self = own(context);
  if (self.failed || bytes == 0) return;
  self.use_device();
  self.fail(self.commands->flush());
  if (void* staged = self.stage.take(bytes)) host = std::memcpy(staged, host, bytes);
  self.fail(LaunchFailure{cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, self.stream), "upload"});
}

void download(OpContext* context, void* host, const void* device, size_t bytes) {
  Context& self = own(context);
  self.use_device();
  if (!self.failed) self.fail(self.commands->flush());
  if (!self.failed && bytes > 0) {
    self.fail(LaunchFailure{cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, self.stream), "download"});
  }
  self.synchronize();
}

void synchronize(OpContext* context) { own(context).synchronize(); }

DType activation_dtype(const OpContext* context) { return own(context).dtype; }

// A launch costs more than the memory that smaller ones would save.
int64_t rows_at_once(const OpContext*) { return std::numeric_limits<int64_t>::max(); }

size_t packed_bytes(const OpContext* context) { return own(context).packed_bytes; }

}  // namespace deberta::cuda
