// 64-byte aligned memory for kernels, on huge pages where the system gives them.
#pragma once

#include <cstddef>

namespace deberta {

/// `bytes` of memory, 64-byte aligned and not initialised, to be freed with std::free; null: there is no more.
void* allocate_aligned(size_t bytes);

/// Owns `bytes` of memory, not initialised; pages that nobody touches cost nothing.
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

}  // namespace deberta
