// `Vec` without any instruction set: the compiler's portable 128-bit vectors, on every architecture it knows. This file
// is also the description of the interface that every vec_*.h offers and that the *.inl.h kernels are written against.
//
// Rules for ISA code. A vec_*.h and the *.inl.h after it are included once, by one isa/<name>.cpp that is compiled with
// the flags of that instruction set. Everything lives in an anonymous namespace and nothing of the C++ standard library
// is used: a weak symbol compiled with AVX-512 could become the one that the linker gives to all code.
#pragma once

#include <stdint.h>
#include <string.h>

namespace deberta {
namespace {

typedef float Vec __attribute__((vector_size(16)));       // kWidth floats; + - * / and unary - work on it
typedef int32_t IntVec __attribute__((vector_size(16)));  // kWidth int32; use the *_int functions, not operators
typedef IntVec Mask;                                      // one truth value per lane
constexpr int kWidth = 4;

inline Vec zero() { return Vec{0, 0, 0, 0}; }
inline Vec splat(float x) { return Vec{x, x, x, x}; }

// Memory needs no alignment. The *_partial forms touch the first n lanes only, 0 <= n <= kWidth; loaded lanes beyond
// are 0.
inline Vec load(const float* p) {
  Vec v;
  memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) { memcpy(p, &v, sizeof v); }
inline Vec load_partial(const float* p, int n) {
  float lanes[kWidth] = {0, 0, 0, 0};
  memcpy(lanes, p, (size_t)n * sizeof(float));
  return load(lanes);
}
inline void store_partial(float* p, Vec v, int n) { memcpy(p, &v, (size_t)n * sizeof(float)); }
// v with its lanes from n on replaced by 0.
inline Vec keep_first(Vec v, int n) {
  for (int i = n; i < kWidth; ++i) v[i] = 0;
  return v;
}

inline Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }   // a * b + c; fused where the instruction set has it
inline Vec fnma(Vec a, Vec b, Vec c) { return c - a * b; }  // c - a * b
// sum += a * b for the inner loops of matrix products: x86 versions name the instruction, because GCC 12 spends up to a
// third of such loops on register copies when left to choose one.
inline void accumulate(Vec& sum, Vec a, Vec b) { sum = sum + a * b; }

inline Vec bits_to_float(IntVec v) { return (Vec)v; }
inline IntVec float_to_bits(Vec v) { return (IntVec)v; }

inline Mask less(Vec a, Vec b) { return a < b; }  // false for NaN
inline Vec select(Mask m, Vec a, Vec b) {         // m ? a : b
  return (Vec)((m & (IntVec)a) | (~m & (IntVec)b));
}
// Where either operand is NaN the second one is returned (as x86 does).
inline Vec min(Vec a, Vec b) { return select(a < b, a, b); }
inline Vec max(Vec a, Vec b) { return select(a > b, a, b); }
inline Vec abs(Vec a) { return (Vec)((IntVec)a & IntVec{0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff}); }
inline Vec copysign(Vec magnitude, Vec sign) {
  const Vec minus = splat(-0.0f);
  return (Vec)(((IntVec)magnitude & ~(IntVec)minus) | ((IntVec)sign & (IntVec)minus));
}
inline Vec sqrt(Vec a) {
  for (int i = 0; i < kWidth; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
}
// To the nearest integer, ties to even; |a| < 2^22.
inline Vec round_nearest(Vec a) {
  const Vec magic = splat(0x1.8p23f);
  return (a + magic) - magic;
}
// v * 2^n for integral n in [-126, 127].
inline Vec scale_by_exp2(Vec v, Vec n) {
  IntVec e;
  for (int i = 0; i < kWidth; ++i) e[i] = ((int32_t)n[i] + 127) << 23;
  return v * (Vec)e;
}

// Sum and maximum of the lanes, in a fixed order.
inline float reduce_add(Vec v) { return (v[0] + v[2]) + (v[1] + v[3]); }
inline float reduce_max(Vec v) {
  const float a = v[0] > v[2] ? v[0] : v[2], b = v[1] > v[3] ? v[1] : v[3];
  return a > b ? a : b;
}

// kWidth 16-bit values, widened exactly.
inline Vec load_bf16(const uint16_t* from) {
  uint16_t p[kWidth];
  memcpy(p, from, sizeof p);
  return (Vec)IntVec{(int32_t)((uint32_t)p[0] << 16), (int32_t)((uint32_t)p[1] << 16), (int32_t)((uint32_t)p[2] << 16),
                     (int32_t)((uint32_t)p[3] << 16)};
}
// IEEE half: shift exponent and mantissa into place, rescale by 2^112 (exact for subnormals too), then inf and NaN.
inline Vec load_f16(const uint16_t* from) {
  uint16_t p[kWidth];
  memcpy(p, from, sizeof p);
  float lanes[kWidth];
  for (int i = 0; i < kWidth; ++i) {
    const uint32_t half = p[i], magnitude = (half & 0x7fffu) << 13;
    float value;
    memcpy(&value, &magnitude, 4);
    value *= 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &value, 4);
    if ((half & 0x7c00u) == 0x7c00u) bits |= 0x7f800000u;
    bits |= (half & 0x8000u) << 16;
    memcpy(&lanes[i], &bits, 4);
  }
  return load(lanes);
}

inline IntVec load_int(const int32_t* p) {
  IntVec v;
  memcpy(&v, p, sizeof v);
  return v;
}
inline IntVec splat_int(int32_t x) { return IntVec{x, x, x, x}; }
inline IntVec add_int(IntVec a, IntVec b) { return a + b; }
inline IntVec sub_int(IntVec a, IntVec b) { return a - b; }

// Lane i becomes v[index[i]]; only the low bits of the index count, those that name a lane.
inline Vec permute(Vec v, IntVec index) {
  return Vec{v[index[0] & 3], v[index[1] & 3], v[index[2] & 3], v[index[3] & 3]};
}

// rows[i][j] <-> rows[j][i] of a kWidth x kWidth block.
inline void transpose(Vec* rows) {
  const Vec a = rows[0], b = rows[1], c = rows[2], d = rows[3];
  rows[0] = Vec{a[0], b[0], c[0], d[0]};
  rows[1] = Vec{a[1], b[1], c[1], d[1]};
  rows[2] = Vec{a[2], b[2], c[2], d[2]};
  rows[3] = Vec{a[3], b[3], c[3], d[3]};
}

}  // namespace
}  // namespace deberta
