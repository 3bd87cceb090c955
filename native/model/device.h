// Owners of what a backend hands out: contexts, memory and packed weights. Nothing here computes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "ops/ops.h"

namespace deberta {

/// A context and its backend. Everything below points to one and must be gone before it.
class Device {
 public:
  Device(const Backend& backend, const ContextOptions& options)
      : backend_(&backend), context_(backend.create_context(options)) {}
  ~Device() { backend_->destroy_context(context_); }
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;

  const Backend& ops() const { return *backend_; }
  OpContext* context() const { return context_; }

 private:
  const Backend* backend_;
  OpContext* context_;
};

/// Device memory that grows on demand and never shrinks. Growing loses the content.
class DeviceBuffer {
 public:
  explicit DeviceBuffer(const Device& device) : device_(&device) {}
  ~DeviceBuffer() { release(); }
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : device_(other.device_), data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&&) = delete;

  void* reserve(size_t bytes) {
    if (data_ == nullptr || bytes > bytes_) {
      release();
      data_ = device_->ops().allocate(device_->context(), bytes);
      bytes_ = bytes;
    }
    return data_;
  }

  /// Reserves and copies host values.
  template <class T>
  const T* assign(const std::vector<T>& values) {
    const size_t bytes = values.size() * sizeof(T);
    void* data = reserve(bytes);
    device_->ops().upload(device_->context(), data, values.data(), bytes);
    return static_cast<const T*>(data);
  }

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void release() {
    if (data_) device_->ops().deallocate(device_->context(), data_);
    data_ = nullptr;
    bytes_ = 0;
  }

  const Device* device_;
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

/// Frees a packed weight through the member of Backend that belongs to it.
template <class Packed, void (*Backend::*Free)(OpContext*, Packed*)>
struct PackedDeleter {
  const Device* device = nullptr;
  void operator()(Packed* packed) const { (device->ops().*Free)(device->context(), packed); }
};

template <class Packed, void (*Backend::*Free)(OpContext*, Packed*)>
using PackedHandle = std::unique_ptr<Packed, PackedDeleter<Packed, Free>>;

using LinearHandle = PackedHandle<PackedLinear, &Backend::free_linear>;
using ConvHandle = PackedHandle<PackedConv, &Backend::free_conv>;
using TableHandle = PackedHandle<PackedTable, &Backend::free_table>;
using PositionsHandle = PackedHandle<PackedPositions, &Backend::free_positions>;

}  // namespace deberta
