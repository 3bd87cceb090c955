// What is taken from a forward's result on the compute thread, so that JavaScript never walks a vocabulary or a batch
// of hidden states: the best tokens of each row of logits, and one vector per sequence.
#pragma once

#include <cstdint>
#include <vector>

#include "base/cancel.h"
#include "model/model.h"

namespace deberta::addon {

struct TopTokens {
  int64_t rows = 0;
  int64_t k = 0;               // at most the vocabulary
  std::vector<int32_t> ids;    // [rows, k], best first; equal scores in order of id
  std::vector<double> scores;  // [rows, k]: softmax over the whole row, in double
};

/// `logits`: [rows, vocab_size].
TopTokens top_tokens(const HostTensor& logits, int64_t k, const CancelToken& cancel);

enum class Pooling : uint8_t { kNone, kCls, kMean };

/// One vector per sequence, [num_sequences, hidden_size], of `hidden` [total_tokens, hidden_size]: the first token's
/// (kCls) or the mean over all tokens of the sequence, special tokens included (kMean, summed in double). kNone keeps
/// every row. `normalize` divides each row by its Euclidean norm; a zero row stays zero.
HostTensor pool(HostTensor hidden, const std::vector<int32_t>& cu_seqlens, Pooling pooling, bool normalize,
                const CancelToken& cancel);

}  // namespace deberta::addon
