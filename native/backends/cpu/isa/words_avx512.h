// Integer words of AVX-512 for quantize.inl.h: what vec_avx512.h lacks because float32 kernels have no use for it.
#pragma once

#include "backends/cpu/isa/vec_avx512.h"

namespace deberta {
namespace {

/// A bit for each lane.
inline uint32_t lanes_of(Mask m) { return m; }
inline Vec int_to_float(IntVec v) { return _mm512_cvtepi32_ps(v); }
inline IntVec mul_int(IntVec a, IntVec b) { return _mm512_mullo_epi32(a, b); }
/// Byte `byte` of each word, sign-extended.
inline IntVec byte_of_words(IntVec words, int byte) {
  return _mm512_srai_epi32(_mm512_sll_epi32(words, _mm_cvtsi32_si128(24 - 8 * byte)), 24);
}
/// Rounded to nearest, even, and held in [0, 255].
inline void store_bytes(uint8_t* to, Vec v) {
  const __m512i words = _mm512_max_epi32(_mm512_cvtps_epi32(v), _mm512_setzero_si512());
  _mm_storeu_si128((__m128i*)to, _mm512_cvtusepi32_epi8(words));
}

}  // namespace
}  // namespace deberta
