// Disentangled attention, one query row at a time, all its heads together (talking heads mix them):
//   s[h, j] = scale * (Q[i, h] . K[j, h]  +  Q[i, h] . pos_key[row(i - j), h]  +  K[j, h] . pos_query[row(i - j), h])
//   s = head_logits_proj s,  p[h, :] = softmax(s[h, :]),  p = head_weights_proj p
//   output[i, h] = sum over j of p[h, j] V[j, h]
// DeBERTa paper, section 3.1, with the indices of the released code; talking heads as in microsoft/DeBERTa, version 1.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "backends/reference/context.h"
#include "backends/reference/functions.h"
#include "backends/reference/values.h"

namespace deberta::reference {

namespace {

std::vector<float> copy_rows(const ConstMatrix& matrix) {
  std::vector<float> copy;  // [rows, cols], or empty where the matrix is absent
  if (!matrix.data) return copy;
  for (int64_t r = 0; r < matrix.rows; ++r) copy.insert(copy.end(), row(matrix, r), row(matrix, r) + matrix.cols);
  return copy;
}

void check_index(const RelativeIndex& index) {
  for (int32_t i = 0; i <= 2 * index.max_distance; ++i) {
    if (index.rows[i] >= 0 && index.rows[i] < index.num_rows) continue;
    throw Error(ErrorCode::kINTERNAL, "relative index: distance " + std::to_string(i - index.max_distance) +
                                          " names row " + std::to_string(index.rows[i]) + " of " +
                                          std::to_string(index.num_rows));
  }
}

/// One sequence: its keys, and the queries that look at them.
struct Sequence {
  int64_t key_begin;
  int64_t num_keys;
  int64_t query_begin;
  int64_t num_queries;
};

Sequence sequence(const AttentionArgs& args, int64_t s) {
  const int32_t* queries = args.query_cu_seqlens ? args.query_cu_seqlens : args.cu_seqlens;
  return {args.cu_seqlens[s], args.cu_seqlens[s + 1] - args.cu_seqlens[s], queries[s], queries[s + 1] - queries[s]};
}

/// The score of one query and one key in one head, before the scale.
double score(const float* query, const float* key, const Positions* positions, int64_t distance, int64_t head_offset,
             int head_dim) {
  double sum = dot(query, key, head_dim);
  if (!positions) return sum;
  const int64_t reach = positions->max_distance;
  const int64_t r = positions->rows[std::clamp(distance, -reach, reach) + reach];
  const int64_t offset = r * positions->width + head_offset;
  if (!positions->pos_key.empty()) sum += dot(query, positions->pos_key.data() + offset, head_dim);
  if (!positions->pos_query.empty()) sum += dot(key, positions->pos_query.data() + offset, head_dim);
  return sum;
}

/// scores [num_heads, num_keys] of the query in row `q`, which stands at `position` of its sequence.
void score_query(const AttentionArgs& args, const Sequence& seq, int64_t q, int64_t position, double* scores) {
  const Positions* positions = args.positions ? &own(args.positions) : nullptr;
  for (int h = 0; h < args.num_heads; ++h) {
    const int64_t offset = static_cast<int64_t>(h) * args.head_dim;
    for (int64_t j = 0; j < seq.num_keys; ++j) {
      const float* query = row(args.query, q) + offset;
      const float* key = row(args.key, seq.key_begin + j) + offset;
      scores[h * seq.num_keys + j] = args.scale * score(query, key, positions, position - j, offset, args.head_dim);
    }
  }
}

void softmax(double* scores, int64_t size) {
  const double largest = *std::max_element(scores, scores + size);
  double sum = 0.0;
  for (int64_t j = 0; j < size; ++j) sum += scores[j] = std::exp(scores[j] - largest);
  for (int64_t j = 0; j < size; ++j) scores[j] /= sum;
}

/// mixed = proj * values over the head axis; both [num_heads, num_keys], proj [num_heads out, num_heads in].
void mix_heads(const float* proj, int num_heads, int64_t num_keys, const double* values, double* mixed) {
  for (int64_t out = 0; out < num_heads; ++out) {
    for (int64_t j = 0; j < num_keys; ++j) {
      double sum = 0.0;
      for (int64_t in = 0; in < num_heads; ++in) sum += proj[out * num_heads + in] * values[in * num_keys + j];
      mixed[out * num_keys + j] = sum;
    }
  }
}

/// The row `q` of the output: probabilities [num_heads, num_keys] times the values of the sequence.
void weigh_values(const AttentionArgs& args, const Sequence& seq, int64_t q, const double* probabilities) {
  for (int h = 0; h < args.num_heads; ++h) {
    for (int d = 0; d < args.head_dim; ++d) {
      const int64_t column = static_cast<int64_t>(h) * args.head_dim + d;
      double sum = 0.0;
      for (int64_t j = 0; j < seq.num_keys; ++j) {
        sum += probabilities[h * seq.num_keys + j] * row(args.value, seq.key_begin + j)[column];
      }
      row(args.output, q)[column] = static_cast<float>(sum);
    }
  }
}

/// Attention of query `i` of a sequence. `scores` and `mixed` are scratch of [num_heads, num_keys] each; returns the
/// one that holds the probabilities.
const double* attend(const AttentionArgs& args, const Sequence& seq, int64_t i, double* scores, double* mixed) {
  const int64_t q = seq.query_begin + i;
  score_query(args, seq, q, args.query_cu_seqlens ? args.query_positions[q] : i, scores);
  if (args.head_logits_proj) {
    mix_heads(args.head_logits_proj, args.num_heads, seq.num_keys, scores, mixed);
    std::swap(scores, mixed);
  }
  for (int h = 0; h < args.num_heads; ++h) softmax(scores + h * seq.num_keys, seq.num_keys);
  if (args.head_weights_proj) {
    mix_heads(args.head_weights_proj, args.num_heads, seq.num_keys, scores, mixed);
    std::swap(scores, mixed);
  }
  weigh_values(args, seq, q, scores);
  return scores;
}

}  // namespace

PackedPositions* pack_positions(OpContext* context, const PositionsArgs& args) {
  check_index(args.index);
  std::vector<float> pos_key = copy_rows(args.pos_key);
  std::vector<float> pos_query = copy_rows(args.pos_query);
  std::vector<int32_t> rows(args.index.rows, args.index.rows + 2 * static_cast<int64_t>(args.index.max_distance) + 1);
  const size_t bytes = (pos_key.size() + pos_query.size()) * sizeof(float) + rows.size() * sizeof(int32_t);
  return reinterpret_cast<PackedPositions*>(new Positions{std::move(pos_key),
                                                          std::move(pos_query),
                                                          std::move(rows),
                                                          args.index.max_distance,
                                                          static_cast<int64_t>(args.num_heads) * args.head_dim,
                                                          {context, bytes}});
}

void free_positions(OpContext*, PackedPositions* packed) { delete reinterpret_cast<Positions*>(packed); }

void disentangled_attention(OpContext* context, const AttentionArgs& args) noexcept {
  Context& self = own(context);
  for (int64_t s = 0; s < args.num_sequences; ++s) {
    const Sequence seq = sequence(args, s);
    const int64_t map_size = args.num_heads * seq.num_keys;
    if (map_size > static_cast<int64_t>(self.scores.size())) {
      self.failure = "attention: a sequence is longer, or has more heads, than reserve() was told";
      return;
    }
    for (int64_t i = 0; i < seq.num_queries; ++i) {
      const double* probabilities = attend(args, seq, i, self.scores.data(), self.mixed.data());
      if (!args.probabilities) continue;
      float* map = args.probabilities + args.probability_offsets[s];  // [num_heads, num_queries, num_keys]
      for (int64_t k = 0; k < map_size; ++k) {
        const int64_t h = k / seq.num_keys;
        const int64_t j = k % seq.num_keys;
        map[(h * seq.num_queries + i) * seq.num_keys + j] = static_cast<float>(probabilities[k]);
      }
    }
  }
}

}  // namespace deberta::reference
