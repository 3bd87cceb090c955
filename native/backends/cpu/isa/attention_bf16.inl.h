// The operand words of attention in bfloat16 with AVX-512 BF16: pairs of values, the first in the low half, rounded to
// nearest even. Members as in attention_words.inl.h.
#pragma once

#include "backends/cpu/isa/attention_words.inl.h"

namespace deberta {
namespace {

struct Bfloat16Words {
  static constexpr int kGroup = 2;

  static inline Vec multiply_add(Vec a, Vec b, Vec acc) {
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
    return acc;
  }

  static inline Vec round(Vec low, Vec high) { return (Vec)_mm512_cvtne2ps_pbh(high, low); }

  static inline Vec pack(const float* from, const float* addend, Vec scale, int n) {
    const Vec low = Float32Words::pack(from, addend, scale, n);
    if (n <= kWidth) return round(low, zero());
    return round(low, Float32Words::pack(from + kWidth, addend ? addend + kWidth : nullptr, scale, n - kWidth));
  }
  static inline Vec pack(const float* from, int n) {
    return round(Float32Words::pack(from, n), n <= kWidth ? zero() : Float32Words::pack(from + kWidth, n - kWidth));
  }

  static inline Vec interleave(const Vec* rows) {
    alignas(64) static const uint16_t kPairs[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                    8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    return (Vec)_mm512_permutexvar_epi16(_mm512_load_si512(kPairs), (__m512i)round(rows[0], rows[1]));
  }
};

}  // namespace
}  // namespace deberta
