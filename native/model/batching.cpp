#include "model/batching.h"

#include <algorithm>

namespace deberta {

std::vector<int32_t> cumulative_lengths(const std::vector<SequenceInput>& sequences) {
  std::vector<int32_t> cu_seqlens = {0};
  cu_seqlens.reserve(sequences.size() + 1);
  for (const SequenceInput& sequence : sequences) {
    cu_seqlens.push_back(cu_seqlens.back() + static_cast<int32_t>(sequence.input_ids.size()));
  }
  return cu_seqlens;
}

std::vector<BatchRange> plan_batches(const std::vector<int32_t>& cu_seqlens, int64_t max_batch_tokens) {
  std::vector<BatchRange> batches;
  const auto num_sequences = static_cast<int64_t>(cu_seqlens.size()) - 1;
  for (int64_t begin = 0; begin < num_sequences;) {
    int64_t end = begin + 1;
    while (end < num_sequences && cu_seqlens[end + 1] - cu_seqlens[begin] <= max_batch_tokens) ++end;
    batches.push_back({begin, end});
    begin = end;
  }
  return batches;
}

bool SelectedRows::in_order() const {
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i] != static_cast<int32_t>(i)) return false;
  }
  return true;
}

namespace {

/// Adds the positions wanted of the next sequence, which starts at row `first`.
void select(SelectedRows& selected, int32_t first, const std::vector<int32_t>& wanted) {
  std::vector<int32_t> sorted = wanted;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const auto offset = static_cast<int32_t>(selected.rows.size());
  for (const int32_t position : sorted) {
    selected.rows.push_back(first + position);
    selected.positions.push_back(position);
  }
  for (const int32_t position : wanted) {
    const auto found = std::lower_bound(sorted.begin(), sorted.end(), position);
    selected.order.push_back(offset + static_cast<int32_t>(found - sorted.begin()));
  }
  selected.cu_seqlens.push_back(static_cast<int32_t>(selected.rows.size()));
}

}  // namespace

PackedBatch pack_batch(const std::vector<SequenceInput>& sequences, const BatchRange& range, const Config& config,
                       const std::vector<std::vector<int32_t>>& positions) {
  PackedBatch batch;
  batch.num_sequences = range.end - range.begin;
  batch.cu_seqlens = {0};
  batch.selected.cu_seqlens = {0};
  for (int64_t s = range.begin; s < range.end; ++s) {
    const SequenceInput& sequence = sequences[s];
    const auto length = static_cast<int64_t>(sequence.input_ids.size());
    batch.input_ids.insert(batch.input_ids.end(), sequence.input_ids.begin(), sequence.input_ids.end());
    if (config.position_biased_input) {
      for (int64_t i = 0; i < length; ++i) batch.position_ids.push_back(static_cast<int32_t>(i));
    }
    if (config.type_vocab_size > 0) {
      const std::vector<int32_t>& types = sequence.token_type_ids;
      if (types.empty()) batch.token_type_ids.resize(batch.token_type_ids.size() + length, 0);
      batch.token_type_ids.insert(batch.token_type_ids.end(), types.begin(), types.end());
    }
    if (!positions.empty()) select(batch.selected, batch.cu_seqlens.back(), positions[s]);
    batch.total_tokens += length;
    batch.max_seqlen = std::max(batch.max_seqlen, length);
    batch.cu_seqlens.push_back(static_cast<int32_t>(batch.total_tokens));
  }
  return batch;
}

}  // namespace deberta
