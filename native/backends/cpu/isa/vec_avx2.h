// `Vec` of AVX2 + FMA + F16C: 8 floats. The interface and its rules are described in vec_scalar.h.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace deberta {
namespace {

typedef __m256 Vec;
typedef __m256i IntVec;
typedef __m256 Mask;  // all ones or all zeros per lane
constexpr int kWidth = 8;

inline Vec zero() { return _mm256_setzero_ps(); }
inline Vec splat(float x) { return _mm256_set1_ps(x); }

// The first n lanes on: 8 ones followed by 8 zeros, read from the right place.
inline __m256i partial_mask(int n) {
  alignas(32) static const int32_t kEdge[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
  return _mm256_loadu_si256((const __m256i*)(kEdge + 8 - n));
}
inline Vec load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
inline Vec load_partial(const float* p, int n) { return _mm256_maskload_ps(p, partial_mask(n)); }
inline void store_partial(float* p, Vec v, int n) { _mm256_maskstore_ps(p, partial_mask(n), v); }
inline Vec keep_first(Vec v, int n) { return _mm256_and_ps(v, _mm256_castsi256_ps(partial_mask(n))); }

inline Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
inline Vec fnma(Vec a, Vec b, Vec c) { return _mm256_fnmadd_ps(a, b, c); }
inline void accumulate(Vec& sum, Vec a, Vec b) { __asm__("vfmadd231ps %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b)); }

inline Vec bits_to_float(IntVec v) { return _mm256_castsi256_ps(v); }
inline IntVec float_to_bits(Vec v) { return _mm256_castps_si256(v); }

inline Mask less(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
inline Vec select(Mask m, Vec a, Vec b) { return _mm256_blendv_ps(b, a, m); }
inline Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
inline Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
inline Vec abs(Vec a) { return _mm256_andnot_ps(splat(-0.0f), a); }
inline Vec copysign(Vec magnitude, Vec sign) { return _mm256_or_ps(abs(magnitude), _mm256_and_ps(sign, splat(-0.0f))); }
inline Vec sqrt(Vec a) { return _mm256_sqrt_ps(a); }
inline Vec round_nearest(Vec a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vec scale_by_exp2(Vec v, Vec n) {
  const __m256i exponent = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
  return _mm256_mul_ps(v, _mm256_castsi256_ps(exponent));
}

inline float reduce_add(Vec v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float reduce_max(Vec v) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}

inline Vec load_bf16(const uint16_t* p) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)p)), 16));
}
inline Vec load_f16(const uint16_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i*)p)); }

inline IntVec load_int(const int32_t* p) { return _mm256_loadu_si256((const __m256i*)p); }
inline IntVec splat_int(int32_t x) { return _mm256_set1_epi32(x); }
inline IntVec add_int(IntVec a, IntVec b) { return _mm256_add_epi32(a, b); }
inline IntVec sub_int(IntVec a, IntVec b) { return _mm256_sub_epi32(a, b); }
inline Vec permute(Vec v, IntVec index) { return _mm256_permutevar8x32_ps(v, index); }

inline void transpose(Vec* r) {
  Vec t[8];
  for (int i = 0; i < 4; ++i) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  Vec u[8];
  for (int i = 0; i < 2; ++i) {
    u[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
    u[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
    u[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    u[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x20);
    r[4 + i] = _mm256_permute2f128_ps(u[i], u[4 + i], 0x31);
  }
}

}  // namespace
}  // namespace deberta
