// What an OpContext is on the CPU: the kernels it runs, the threads it may use, its scratch memory and its sticky
// error.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "backends/cpu/isa/microkernels.h"
#include "base/aligned_buffer.h"
#include "base/cpu_features.h"
#include "base/error.h"
#include "base/thread_pool.h"
#include "ops/ops.h"

namespace deberta {

struct CpuContext {
  const Microkernels* kernels = nullptr;
  std::shared_ptr<ThreadPool> pool;
  int threads = 1;  // workers that regions of this context use, <= pool->threads()
  DType compute_dtype = DType::kFloat32;
  CacheSizes caches;

  AlignedBuffer shared_scratch;  // packed rows of a matrix product
  AlignedBuffer worker_scratch;  // [threads] arenas of worker_scratch_bytes each
  size_t worker_scratch_bytes = 0;

  // Bytes of live handles packed through this context. A handle keeps the counter: it may be freed through another
  // context.
  std::shared_ptr<std::atomic<size_t>> packed_bytes = std::make_shared<std::atomic<size_t>>(0);

  // The first thing that went wrong in an op since the last synchronize(); null: nothing did. Text is static.
  const char* error = nullptr;
  ErrorCode error_code = ErrorCode::kDEVICE;

  /// The arena of one worker, 64-byte aligned: an op may use all of it while one of its tasks runs, and none of it
  /// after.
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

  /// The same, on the caller alone where `operations` in all would not pay for waking another thread.
  template <class Body>
  void parallel_for_work(int64_t tasks, int64_t operations, Body&& body) const {
    constexpr int64_t kWorthSharing = 1 << 18;  // multiply-adds: about 2 us of AVX-512
    pool->parallel_for(tasks, operations < kWorthSharing ? 1 : threads, body);
  }
};

/// Bytes that a live handle adds to packed_bytes of the context that made it.
class PackedBytes {
 public:
  PackedBytes(const CpuContext& context, size_t bytes) : counter_(context.packed_bytes), bytes_(bytes) {
    counter_->fetch_add(bytes_);
  }
  ~PackedBytes() { counter_->fetch_sub(bytes_); }
  PackedBytes(const PackedBytes&) = delete;
  PackedBytes& operator=(const PackedBytes&) = delete;

 private:
  std::shared_ptr<std::atomic<size_t>> counter_;
  size_t bytes_;
};

inline CpuContext& as_cpu(OpContext* context) { return *reinterpret_cast<CpuContext*>(context); }
inline const CpuContext& as_cpu(const OpContext* context) { return *reinterpret_cast<const CpuContext*>(context); }

}  // namespace deberta
