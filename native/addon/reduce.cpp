#include "addon/reduce.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace deberta::addon {

namespace {

double log_sum_exp(const float* row, int64_t size) {
  const double largest = *std::max_element(row, row + size);
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += std::exp(row[i] - largest);
  return largest + std::log(sum);
}

void normalize_row(float* row, int64_t size) {
  double squares = 0;
  for (int64_t i = 0; i < size; ++i) squares += static_cast<double>(row[i]) * row[i];
  if (squares == 0) return;
  const double scale = 1.0 / std::sqrt(squares);
  for (int64_t i = 0; i < size; ++i) row[i] = static_cast<float>(row[i] * scale);
}

void mean_rows(const float* rows, int64_t count, int64_t size, std::vector<double>& sums, float* mean) {
  std::fill(sums.begin(), sums.end(), 0.0);
  for (int64_t r = 0; r < count; ++r)
    for (int64_t i = 0; i < size; ++i) sums[i] += rows[r * size + i];
  for (int64_t i = 0; i < size; ++i) mean[i] = static_cast<float>(sums[i] / static_cast<double>(count));
}

}  // namespace

TopTokens top_tokens(const HostTensor& logits, int64_t k, const CancelToken& cancel) {
  const int64_t vocab_size = logits.dims[1];
  TopTokens top;
  top.rows = logits.dims[0];
  top.k = std::min(k, vocab_size);
  top.ids.reserve(static_cast<size_t>(top.rows * top.k));
  top.scores.reserve(static_cast<size_t>(top.rows * top.k));
  std::vector<int32_t> order(static_cast<size_t>(vocab_size));
  for (int64_t r = 0; r < top.rows; ++r) {
    cancel.check();
    const float* row = logits.data.get() + r * vocab_size;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + top.k, order.end(),
                      [row](int32_t a, int32_t b) { return row[a] != row[b] ? row[a] > row[b] : a < b; });
    const double total = log_sum_exp(row, vocab_size);
    for (int64_t i = 0; i < top.k; ++i) {
      top.ids.push_back(order[i]);
      top.scores.push_back(std::exp(row[order[i]] - total));
    }
  }
  return top;
}

HostTensor pool(HostTensor hidden, const std::vector<int32_t>& cu_seqlens, Pooling pooling, bool normalize,
                const CancelToken& cancel) {
  const int64_t hidden_size = hidden.dims[1];
  HostTensor pooled;
  if (pooling == Pooling::kNone) {
    pooled = std::move(hidden);
  } else {
    const int64_t num_sequences = static_cast<int64_t>(cu_seqlens.size()) - 1;
    pooled.dims = {num_sequences, hidden_size};
    pooled.data = std::make_unique_for_overwrite<float[]>(static_cast<size_t>(num_sequences * hidden_size));
    std::vector<double> sums(static_cast<size_t>(hidden_size));
    for (int64_t s = 0; s < num_sequences; ++s) {
      cancel.check();
      const float* rows = hidden.data.get() + cu_seqlens[s] * hidden_size;
      const int64_t count = pooling == Pooling::kCls ? 1 : cu_seqlens[s + 1] - cu_seqlens[s];
      mean_rows(rows, count, hidden_size, sums, pooled.data.get() + s * hidden_size);
    }
  }
  if (normalize)
    for (int64_t r = 0; r < pooled.dims[0]; ++r) normalize_row(pooled.data.get() + r * hidden_size, hidden_size);
  return pooled;
}

}  // namespace deberta::addon
