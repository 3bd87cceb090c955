// Packing of attention's operands, from rows of one head ([count, head_dim], strided) to the layouts of
// attention_microkernels.h. Nothing beyond head_dim or count is read; what is missing becomes zero.
#pragma once

#include "backends/cpu/isa/attention_words.inl.h"

namespace deberta {
namespace {

template <class Words>
inline int words_of(int head_dim) {
  return (head_dim + Words::kGroup - 1) / Words::kGroup;
}

template <class Words>
void attention_pack_rows(const float* rows, int64_t stride, int count, int head_dim, float* packed,
                         int64_t block_stride) {
  const int blocks = (words_of<Words>(head_dim) + kBlockWords - 1) / kBlockWords;
  constexpr int kValues = kWidth * Words::kGroup;  // values per vector of words
  for (int r = 0; r < count; ++r) {                // whole rows, one after the other: each is in a page of its own
    for (int b = 0; b < blocks; ++b) {
      float* block = packed + b * block_stride + r * kBlockWords;
      for (int v = 0; v < kBlockWords / kWidth; ++v) {
        const int column = b * kBlockWords * Words::kGroup + v * kValues;
        store(block + v * kWidth,
              column < head_dim ? Words::pack(rows + r * stride + column, head_dim - column) : zero());
      }
    }
  }
}

template <class Words>
void attention_pack_queries(const float* rows, int64_t stride, int count, int head_dim, const float* addend,
                            float scale, float* packed) {
  constexpr int kStrip = kStripVectors * kWidth;
  const int words = (words_of<Words>(head_dim) + kBlockWords - 1) / kBlockWords * kBlockWords;
  const Vec factor = splat(scale);
  for (int first = 0; first < kStrip && first < count; first += kWidth) {
    const int n = min_int(kWidth, count - first);
    for (int word = 0; word < words; word += kWidth) {
      const int column = word * Words::kGroup;
      Vec block[kWidth];  // [queries, words], then transposed
      for (int q = 0; q < kWidth; ++q) {
        const float* from = rows + (first + q) * stride + column;
        block[q] = q < n && column < head_dim
                       ? Words::pack(from, addend ? addend + column : nullptr, factor, head_dim - column)
                       : zero();
      }
      transpose(block);
      for (int w = 0; w < kWidth; ++w) store(packed + first * words + (word + w) * kWidth, block[w]);
    }
  }
}

template <class Words>
void attention_pack_values(const float* rows, int64_t stride, int count, int head_dim, float* packed,
                           int64_t value_stride) {
  for (int r = 0; r < count; r += Words::kGroup) {
    for (int c = 0; c < value_stride; c += kWidth) {
      Vec group[Words::kGroup];
      for (int g = 0; g < Words::kGroup; ++g) {
        const float* from = rows + (r + g) * stride + c;
        group[g] = r + g >= count || c >= head_dim ? zero() : Float32Words::pack(from, head_dim - c);
      }
      store(packed + r / Words::kGroup * value_stride + c, Words::interleave(group));
    }
  }
}

}  // namespace
}  // namespace deberta
