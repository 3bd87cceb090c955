// The softmax of attention, lane by lane: exponentials of transposed scores, the running maximum and sum.
#pragma once

#include "backends/cpu/isa/attention_words.inl.h"

namespace deberta {
namespace {

/// exp(x) for x <= 0: at most 0.9 ulp from the truth on [-87, 0] with fused multiply-adds; exp(-87) = 1.6e-38 below,
/// which keeps what follows clear of subnormal numbers. Cody-Waite: x = n ln 2 + r with |r| <= ln 2 / 2, a minimax
/// polynomial of degree 6 in r, times 2^n. Adding 1.5 * 2^23 rounds to an integer.
inline Vec exp_nonpositive(Vec x) {
  const Vec magic = splat(0x1.8p23f);
  const Vec y = max(x, splat(-87.0f));
  const Vec n = fma(y, splat(1.44269504f), magic) - magic;
  Vec r = fnma(n, splat(0x1.62E430p-1f), y);
  r = fnma(n, splat(-0x1.05C610p-29f), r);
  Vec p = fma(splat(0x1.694000p-10f), r, splat(0x1.125edcp-7f));
  p = fma(p, r, splat(0x1.555b5ap-5f));
  p = fma(p, r, splat(0x1.555450p-3f));
  p = fma(p, r, splat(0x1.fffff6p-2f));
  p = fma(p, r, splat(1.0f));
  p = fma(p, r, splat(1.0f));
  return scale_by_exp2(p, n);
}

/// Exponentials of the next kGroup keys, `keys` of which exist, as one row of weights; their sum goes to `total`.
template <class Words>
inline void exponentiate_group(const float* scores, float* weights, int keys, Vec shift, Vec& total) {
  Vec group[Words::kGroup];
#pragma GCC unroll 2
  for (int g = 0; g < Words::kGroup; ++g) {
    group[g] = g < keys ? exp_nonpositive(load(scores + g * kWidth) - shift) : zero();
    total = total + group[g];
  }
  store(weights, Words::interleave(group));
}

// The sum over many keys is made of short sums: added one by one to a large total, equal weights would all be rounded
// to the same side.
template <class Words>
void attention_exponentiate(float* scores, int64_t vector_stride, int keys, int vectors, const float* largest,
                            float* sum) {
  constexpr int kGroup = Words::kGroup;
  for (int v = 0; v < vectors; ++v) {
    const Vec shift = load(largest + v * kWidth);
    Vec totals[4] = {zero(), zero(), zero(), zero()};
    const float* from = scores + v * vector_stride;
    float* to = scores + v * vector_stride;
    int left = keys;
    for (; left >= 4 * kGroup; left -= 4 * kGroup) {
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        exponentiate_group<Words>(from + k * kGroup * kWidth, to + k * kWidth, kGroup, shift, totals[k]);
      }
      from += 4 * kGroup * kWidth;
      to += 4 * kWidth;
    }
    for (; left > 0; left -= kGroup) {
      exponentiate_group<Words>(from, to, left, shift, totals[0]);
      from += kGroup * kWidth;
      to += kWidth;
    }
    store(sum + v * kWidth, load(sum + v * kWidth) + ((totals[0] + totals[1]) + (totals[2] + totals[3])));
  }
}

void attention_update_softmax(const float* tile_max, int vectors, float* largest, float* correction, float* sum) {
  for (int i = 0; i < vectors * kWidth; i += kWidth) {
    const Vec before = load(largest + i), after = max(load(tile_max + i), before);
    const Vec factor = exp_nonpositive(before - after);
    store(largest + i, after);
    store(correction + i, factor);
    store(sum + i, load(sum + i) * factor);
  }
}

void attention_normalize(float* scores, int64_t count, float largest, float factor) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth)
    store(scores + i, exp_nonpositive(load(scores + i) - splat(largest)) * splat(factor));
  const int rest = (int)(count - i);
  if (rest > 0)
    store_partial(scores + i, exp_nonpositive(load_partial(scores + i, rest) - splat(largest)) * splat(factor), rest);
}

}  // namespace
}  // namespace deberta
