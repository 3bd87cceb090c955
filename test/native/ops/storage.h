// Rounding to the 16-bit types, to make weights and inputs that a backend can hold exactly. Nearest, ties to even.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/half.h"
#include "ops/tensor.h"

namespace deberta::test {

inline uint16_t to_bfloat16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}

/// For |value| <= 65504.
inline uint16_t to_half_bits(float value) {
  const uint16_t sign = std::signbit(value) ? 0x8000u : 0u;
  const float magnitude = std::fabs(value);
  if (magnitude < 0x1p-14f) return sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f));  // subnormal
  int exponent;
  const float fraction = std::frexp(magnitude, &exponent);                          // in [0.5, 1)
  const auto mantissa = static_cast<uint32_t>(std::nearbyint(fraction * 0x1p11f));  // in [1024, 2048]
  return sign | static_cast<uint16_t>((static_cast<uint32_t>(exponent + 13) << 10) + mantissa);
}

/// `value` as it reads after having been stored as `dtype`.
inline float round_to(DType dtype, float value) {
  if (dtype == DType::kFloat16) return float_from_half(to_half_bits(value));
  if (dtype == DType::kBFloat16) return float_from_bfloat16(to_bfloat16_bits(value));
  return value;
}

/// Writes `value` at `to`, which need not be aligned.
inline void store(DType dtype, float value, unsigned char* to) {
  if (dtype == DType::kFloat32) {
    std::memcpy(to, &value, 4);
    return;
  }
  const uint16_t bits = dtype == DType::kFloat16 ? to_half_bits(value) : to_bfloat16_bits(value);
  std::memcpy(to, &bits, 2);
}

}  // namespace deberta::test
