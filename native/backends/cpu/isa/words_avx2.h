// Integer words of AVX2 for quantize.inl.h: what vec_avx2.h lacks because float32 kernels have no use for it.
#pragma once

#include "backends/cpu/isa/vec_avx2.h"

namespace deberta {
namespace {

/// A bit for each lane.
inline uint32_t lanes_of(Mask m) { return (uint32_t)_mm256_movemask_ps(m); }
inline Vec int_to_float(IntVec v) { return _mm256_cvtepi32_ps(v); }
inline IntVec mul_int(IntVec a, IntVec b) { return _mm256_mullo_epi32(a, b); }
/// Byte `byte` of each word, sign-extended.
inline IntVec byte_of_words(IntVec words, int byte) {
  return _mm256_srai_epi32(_mm256_sll_epi32(words, _mm_cvtsi32_si128(24 - 8 * byte)), 24);
}
/// Rounded to nearest, even, and held in [0, 255].
inline void store_bytes(uint8_t* to, Vec v) {
  const __m256i words = _mm256_cvtps_epi32(v);
  const __m128i shorts = _mm_packs_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storel_epi64((__m128i*)to, _mm_packus_epi16(shorts, shorts));
}

}  // namespace
}  // namespace deberta
