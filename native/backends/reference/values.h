// Reading and writing single values: the formulas of this folder are written with these.
#pragma once

#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "ops/tensor.h"

namespace deberta::reference {

/// Row `r` of an activation.
inline const float* row(const ConstMatrix& matrix, int64_t r) {
  return static_cast<const float*>(matrix.data) + r * matrix.stride;
}
inline float* row(const Matrix& matrix, int64_t r) { return static_cast<float*>(matrix.data) + r * matrix.stride; }

/// Element (r, c) of a stored weight, widened exactly. A mapping gives no alignment, hence the copies.
inline double at(const WeightView& weight, int64_t r, int64_t c) {
  const auto* bytes = static_cast<const unsigned char*>(weight.data) + (r * weight.cols + c) * dtype_size(weight.dtype);
  if (weight.dtype == DType::kFloat32) {
    float value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return weight.dtype == DType::kFloat16 ? float_from_half(bits) : float_from_bfloat16(bits);
}

inline double dot(const float* a, const float* b, int64_t size) {
  double sum = 0.0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

/// Row `r` of `weight` times the vector `x` of weight.cols elements.
inline double dot_row(const WeightView& weight, int64_t r, const float* x) {
  double sum = 0.0;
  for (int64_t i = 0; i < weight.cols; ++i) sum += at(weight, r, i) * x[i];
  return sum;
}

}  // namespace deberta::reference
