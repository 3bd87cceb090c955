// float16 and bfloat16 bit patterns to float32, one value at a time, exact for every pattern. Portable integer code
// that no rounding or flush-to-zero mode changes; the vector forms live with the instruction sets that have them.
#pragma once

#include <bit>
#include <cstdint>

namespace deberta {

/// IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 mantissa bits. NaNs keep sign and payload.
inline float float_from_half(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = bits >> 10 & 0x1Fu;
  const uint32_t mantissa = bits & 0x3FFu;
  if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, a normal float32
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  const uint32_t wide_exponent = exponent == 0x1Fu ? 0xFFu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide_exponent << 23 | mantissa << 13);
}

/// The upper half of a float32.
inline float float_from_bfloat16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace deberta
