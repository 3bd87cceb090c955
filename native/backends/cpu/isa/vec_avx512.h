// `Vec` of AVX-512 F/BW/VL/DQ: 16 floats. The interface and its rules are described in vec_scalar.h.
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

namespace deberta {
namespace {

typedef __m512 Vec;
typedef __m512i IntVec;
typedef __mmask16 Mask;
constexpr int kWidth = 16;

inline Vec zero() { return _mm512_setzero_ps(); }
inline Vec splat(float x) { return _mm512_set1_ps(x); }

inline Mask partial_mask(int n) { return (Mask)((1u << n) - 1u); }
inline Vec load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
inline Vec load_partial(const float* p, int n) { return _mm512_maskz_loadu_ps(partial_mask(n), p); }
inline void store_partial(float* p, Vec v, int n) { _mm512_mask_storeu_ps(p, partial_mask(n), v); }
inline Vec keep_first(Vec v, int n) { return _mm512_maskz_mov_ps(partial_mask(n), v); }

inline Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
inline Vec fnma(Vec a, Vec b, Vec c) { return _mm512_fnmadd_ps(a, b, c); }
inline void accumulate(Vec& sum, Vec a, Vec b) { __asm__("vfmadd231ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }

inline Vec bits_to_float(IntVec v) { return _mm512_castsi512_ps(v); }
inline IntVec float_to_bits(Vec v) { return _mm512_castps_si512(v); }

inline Mask less(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
inline Vec select(Mask m, Vec a, Vec b) { return _mm512_mask_blend_ps(m, b, a); }
inline Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
inline Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
inline Vec abs(Vec a) { return _mm512_abs_ps(a); }
inline Vec copysign(Vec magnitude, Vec sign) {  // 0xca: bits of `sign` where the mask has ones, else of `magnitude`
  return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_set1_epi32((int)0x80000000), _mm512_castps_si512(sign),
                                                       _mm512_castps_si512(magnitude), 0xca));
}
inline Vec sqrt(Vec a) { return _mm512_sqrt_ps(a); }
inline Vec round_nearest(Vec a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vec scale_by_exp2(Vec v, Vec n) { return _mm512_scalef_ps(v, n); }

inline float reduce_add(Vec v) { return _mm512_reduce_add_ps(v); }
inline float reduce_max(Vec v) { return _mm512_reduce_max_ps(v); }

inline Vec load_bf16(const uint16_t* p) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)p)), 16));
}
inline Vec load_f16(const uint16_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i*)p)); }

inline IntVec load_int(const int32_t* p) { return _mm512_loadu_si512(p); }
inline IntVec splat_int(int32_t x) { return _mm512_set1_epi32(x); }
inline IntVec add_int(IntVec a, IntVec b) { return _mm512_add_epi32(a, b); }
inline IntVec sub_int(IntVec a, IntVec b) { return _mm512_sub_epi32(a, b); }
inline Vec permute(Vec v, IntVec index) { return _mm512_permutexvar_ps(index, v); }

inline void transpose(Vec* r) {
  Vec t[16];
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 4; ++i) {
    const __m512d a = _mm512_castps_pd(t[4 * i]), b = _mm512_castps_pd(t[4 * i + 1]);
    const __m512d c = _mm512_castps_pd(t[4 * i + 2]), d = _mm512_castps_pd(t[4 * i + 3]);
    r[4 * i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
    r[4 * i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
    r[4 * i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
    r[4 * i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
  }
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0x88);
    t[4 + i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0xdd);
    t[8 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0x88);
    t[12 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0xdd);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0x88);
    r[8 + i] = _mm512_shuffle_f32x4(t[i], t[8 + i], 0xdd);
    r[4 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0x88);
    r[12 + i] = _mm512_shuffle_f32x4(t[4 + i], t[12 + i], 0xdd);
  }
}

}  // namespace
}  // namespace deberta
