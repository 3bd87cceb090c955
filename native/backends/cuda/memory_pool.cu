// Shelves of freed blocks by size class; the size classes are device.cuh's, as the emulator has none.
#include <cuda_runtime.h>

#include <string>

#include "backends/cuda/device.cuh"
#include "backends/cuda/errors.h"
#include "backends/cuda/memory_pool.h"
#include "base/error.h"

namespace deberta::cuda {

void* allocate_device(size_t bytes, const char* what) {
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes == 0 ? 1 : bytes);
  if (error == cudaSuccess) return memory;
  cudaGetLastError();  // an allocation that failed leaves the device usable
  if (error != cudaErrorMemoryAllocation) throw_device_error(what, error);
  size_t free_bytes = 0, total_bytes = 0;
  cudaMemGetInfo(&free_bytes, &total_bytes);
  throw Error(ErrorCode::kOUT_OF_MEMORY, std::string(what) + ": " + std::to_string(bytes) +
                                             " bytes of device memory were asked for, " + std::to_string(free_bytes) +
                                             " of " + std::to_string(total_bytes) + " are free");
}

MemoryPool::~MemoryPool() {
  trim();
  for (const auto& [memory, size] : in_use_) cudaFree(memory);
}

void* MemoryPool::allocate(size_t bytes) {
  const size_t size = allocation_size(bytes);
  std::vector<void*>& shelf = shelves_[size];
  void* memory = nullptr;
  if (!shelf.empty()) {
    memory = shelf.back();
    shelf.pop_back();
  } else {
    memory = allocate_device(size, "activations");
  }
  in_use_.emplace(memory, size);
  return memory;
}

void MemoryPool::deallocate(void* memory) {
  const auto found = in_use_.find(memory);
  if (found == in_use_.end()) return;
  shelves_[found->second].push_back(memory);
  in_use_.erase(found);
}

void MemoryPool::trim() {
  for (auto& [size, shelf] : shelves_) {
    for (void* memory : shelf) cudaFree(memory);
    shelf.clear();
  }
}

}  // namespace deberta::cuda
