// The operand words of attention in float32: one value a word. Another dtype (attention_bf16.inl.h) is another struct
// with the same members; every product of attention_multiply.inl.h and attention_pack.inl.h is written against it.
#pragma once

namespace deberta {
namespace {

struct Float32Words {
  static constexpr int kGroup = 1;  // values per word

  /// acc + a * b per word.
  static inline Vec multiply_add(Vec a, Vec b, Vec acc) { return fma(a, b, acc); }

  /// (from + addend) * scale of the first n of kWidth * kGroup values, as words; zeros beyond. addend may be null.
  static inline Vec pack(const float* from, const float* addend, Vec scale, int n) {
    if (n >= kWidth) return (addend ? load(from) + load(addend) : load(from)) * scale;
    const Vec v = load_partial(from, n);
    return (addend ? v + load_partial(addend, n) : v) * scale;
  }
  static inline Vec pack(const float* from, int n) { return n >= kWidth ? load(from) : load_partial(from, n); }

  /// kGroup rows of values side by side: word c holds column c of each.
  static inline Vec interleave(const Vec* rows) { return rows[0]; }
};

inline int min_int(int a, int b) { return a < b ? a : b; }
inline int max_int(int a, int b) { return a > b ? a : b; }

}  // namespace
}  // namespace deberta
