// From a DType at run time to a type at compile time, and the arithmetic of tile counts.
#pragma once

#include <cstdint>

#include "backends/cuda/device.cuh"
#include "ops/tensor.h"

namespace deberta::cuda {

template <class T>
struct TypeTag {
  using Type = T;
};

/// Calls `function(TypeTag<T>())` with the type of one activation. int8 never gets here: create_context refuses it.
template <class Function>
void with_type(DType dtype, Function&& function) {
  if (dtype == DType::kFloat32) {
    function(TypeTag<float>());
  } else if (dtype == DType::kBFloat16) {
    function(TypeTag<BFloat16>());
  } else {
    function(TypeTag<Float16>());
  }
}

/// Row pitch of weights, in elements: 16-byte rows for vector loads and tensor copies.
inline int64_t padded(int64_t cols) { return (cols + 7) / 8 * 8; }

/// Whether every row of a 16-bit matrix starts on 16 bytes and holds whole groups of 8.
inline bool vector_aligned(const void* data, int64_t stride, int64_t cols) {
  return reinterpret_cast<uintptr_t>(data) % 16 == 0 && stride % 8 == 0 && cols % 8 == 0;
}

}  // namespace deberta::cuda
