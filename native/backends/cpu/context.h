// What an OpContext is on the CPU: the kernels it runs, the threads it may use, its scratch memory and its sticky error.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "backends/cpu/isa/microkernels.h"
#include "base/cpu_features.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "ops/ops.h"

namespace deberta {

/// 64-byte aligned memory on huge pages where the system gives them; not initialised.
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// Throws OUT_OF_MEMORY; `what` says in the message what the memory was for.
  AlignedBuffer(size_t bytes, const char* what);
  ~AlignedBuffer();
  AlignedBuffer(AlignedBuffer&& other) noexcept;
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept;

  template <class T = std::byte>
  T* as() const {
    return static_cast<T*>(data_);
  }
  size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
};

struct CpuContext {
  const Microkernels* kernels = nullptr;
  std::shared_ptr<ThreadPool> pool;
  int threads = 1;  // workers that regions of this context use, <= pool->threads()
  DType compute_dtype = DType::kFloat32;
  CacheSizes caches;

  AlignedBuffer shared_scratch;  // packed rows of a matrix product
  AlignedBuffer worker_scratch;  // [threads] arenas of worker_scratch_bytes each
  size_t worker_scratch_bytes = 0;

  // Bytes of live handles packed through this context. A handle keeps the counter: it may be freed through another context.
  std::shared_ptr<std::atomic<size_t>> packed_bytes = std::make_shared<std::atomic<size_t>>(0);

  // The first thing that went wrong in an op since the last synchronize(); null: nothing did. Text is static.
  const char* error = nullptr;
  ErrorCode error_code = ErrorCode::kDEVICE;

  /// The arena of one worker, 64-byte aligned: an op may use all of it while one of its tasks runs, and none of it after.
  std::byte* scratch(int worker) const {
    return worker_scratch.as() + static_cast<size_t>(worker) * worker_scratch_bytes;
  }

  void fail(ErrorCode code, const char* message) {
    if (error != nullptr) return;
    error = message;
    error_code = code;
  }

  /// body(task, worker) for every task in [0, tasks), worker < threads.
  template <class Body>
  void parallel_for(int64_t tasks, Body&& body) const {
    pool->parallel_for(tasks, threads, body);
  }
};

inline CpuContext& as_cpu(OpContext* context) { return *reinterpret_cast<CpuContext*>(context); }
inline const CpuContext& as_cpu(const OpContext* context) { return *reinterpret_cast<const CpuContext*>(context); }

}  // namespace deberta
