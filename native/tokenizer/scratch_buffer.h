// Memory that grows, keeps its contents and is never initialised: working space that is reused from text to text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>

namespace deberta {

template <class T>
class ScratchBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t capacity() const { return capacity_; }

  /// Room for `count` elements; the first `keep` survive.
  void reserve(size_t count, size_t keep) {
    if (count <= capacity_) return;
    const size_t capacity = std::max(count, capacity_ + capacity_ / 2);
    auto grown = std::make_unique_for_overwrite<T[]>(capacity);
    if (const size_t kept = std::min(keep, capacity_); kept > 0)
      std::memcpy(grown.get(), data_.get(), kept * sizeof(T));
    data_ = std::move(grown);
    capacity_ = capacity;
  }

  /// Gives the memory back when it is more than `limit` bytes, so that one long text does not pin its working space.
  void trim(size_t limit) {
    if (capacity_ * sizeof(T) <= limit) return;
    data_.reset();
    capacity_ = 0;
  }

 private:
  std::unique_ptr<T[]> data_;
  size_t capacity_ = 0;
};

}  // namespace deberta
