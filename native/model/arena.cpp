#include "model/arena.h"

#include <algorithm>

namespace deberta {

namespace {

constexpr size_t kAlignment = 64;  // what `allocate` of a backend guarantees at least

}  // namespace

void Arena::reset() {
  if (++recent_passes_ > kPassesToForget) {
    if (recent_peak_ < peak_ / 4) {
      blocks_.clear();
      peak_ = recent_peak_;
    }
    recent_peak_ = 0;
    recent_passes_ = 1;
  }
  if (blocks_.size() > 1) blocks_.clear();
  block_ = 0;
  offset_ = 0;
  used_ = 0;
}

void* Arena::allocate(size_t bytes) {
  bytes = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  used_ += bytes;
  peak_ = std::max(peak_, used_);
  recent_peak_ = std::max(recent_peak_, used_);
  while (block_ < blocks_.size() && offset_ + bytes > blocks_[block_].bytes()) {
    ++block_;
    offset_ = 0;
  }
  if (block_ == blocks_.size()) {
    DeviceBuffer block(device_);
    block.reserve(blocks_.empty() ? peak_ : bytes);
    blocks_.push_back(std::move(block));
  }
  void* memory = static_cast<std::byte*>(blocks_[block_].data()) + offset_;
  offset_ += bytes;
  return memory;
}

Matrix Arena::matrix(int64_t rows, int64_t cols) {
  const DType dtype = device_.ops().activation_dtype(device_.context());
  return {allocate(static_cast<size_t>(rows) * static_cast<size_t>(cols) * dtype_size(dtype)), rows, cols, cols};
}

}  // namespace deberta
