// Device memory for activations. A freed block goes back on a shelf of its size and is handed out again last in, first
// out: the same sequence of requests gets the same addresses, which is what lets a recorded graph be replayed.
#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

namespace deberta::cuda {

class MemoryPool {
 public:
  ~MemoryPool();
  MemoryPool() = default;
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  /// Throws OUT_OF_MEMORY with what was asked for and what the device has. trim() may make room.
  void* allocate(size_t bytes);
  void deallocate(void* memory);
  /// Gives every block on the shelves back to the device. The device must be done with them.
  void trim();

 private:
  std::unordered_map<size_t, std::vector<void*>> shelves_;  // by size class
  std::unordered_map<void*, size_t> in_use_;                // the size class of each block handed out
};

/// cudaMalloc that throws OUT_OF_MEMORY; `what` names the tensor.
void* allocate_device(size_t bytes, const char* what);

}  // namespace deberta::cuda
