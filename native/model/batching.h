// From a request to packed batches: which sequences run together, their tokens side by side without padding, and the
// rows that a head wants. Host memory only; order is the caller's throughout.
#pragma once

#include <cstdint>
#include <vector>

#include "model/config.h"
#include "model/model.h"

namespace deberta {

/// Sequences [begin, end) of a request.
struct BatchRange {
  int64_t begin = 0;
  int64_t end = 0;
};

/// Where each sequence starts among all tokens: [sequences + 1]. The sum must fit int32.
std::vector<int32_t> cumulative_lengths(const std::vector<SequenceInput>& sequences);

/// Consecutive sequences of together at most `max_batch_tokens` tokens; a longer one alone.
std::vector<BatchRange> plan_batches(const std::vector<int32_t>& cu_seqlens, int64_t max_batch_tokens);

/// Some tokens of a batch, for heads that look at few and for the mask decoder.
struct SelectedRows {
  std::vector<int32_t> rows;        // [selected]: index among the batch's tokens
  std::vector<int32_t> positions;   // [selected]: index within the sequence, ascending there, none twice
  std::vector<int32_t> cu_seqlens;  // [num_sequences + 1]
  std::vector<int32_t> order;       // [wanted]: what the caller asked for, in its order, as indices of `rows`

  /// Whether `order` is 0, 1, 2, ...
  bool in_order() const;
};

struct PackedBatch {
  int64_t num_sequences = 0;
  int64_t total_tokens = 0;
  int64_t max_seqlen = 0;
  std::vector<int32_t> input_ids;       // [total_tokens]
  std::vector<int32_t> position_ids;    // [total_tokens], or empty: no absolute positions in the input
  std::vector<int32_t> token_type_ids;  // [total_tokens], or empty: the model has no token types
  std::vector<int32_t> cu_seqlens;      // [num_sequences + 1]
  SelectedRows selected;
};

/// The sequences of `range`, whose wanted positions are positions[sequence] (all empty: nothing is selected).
PackedBatch pack_batch(const std::vector<SequenceInput>& sequences, const BatchRange& range, const Config& config,
                       const std::vector<std::vector<int32_t>>& positions);

}  // namespace deberta
