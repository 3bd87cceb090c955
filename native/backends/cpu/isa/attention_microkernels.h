// The attention section of the table in microkernels.h: the stages that attention.cpp runs on one tile, a strip of
// queries against a block of keys. Filled by isa/attention.inl.h, which every ISA file includes. C headers only.
//
// Scores are kept transposed: keys are rows, queries are lanes. The softmax then works lane by lane, and the
// exponentials are already the left operand of P V. A strip is up to kStripVectors vectors of queries; what it has per
// query lies in one panel a vector, [vectors][rows][width], so that a stage that is about one vector walks contiguous
// memory. Operands are made of 32-bit words along head_dim: one float, or a pair of bfloat16 (`group` values); a
// "block" is 16 words, so packed rows are [blocks of head_dim][rows][16 words].
#pragma once

#include <stdint.h>

namespace deberta {

constexpr int kStripVectors = 4;    // of queries: the register tile of most products is 6 rows x 4 vectors
constexpr int kMaxQueryStrip = 64;  // the widest strip of any instruction set
constexpr int kBlockWords = 16;     // words of a row that lie together in packed rows
constexpr int kSlotMargin = 32;     // saturated distances that DistanceSlots lists at either end: two vectors

/// Which row of the position tables a distance (query - key) takes. Slots number the distinct rows in the order of the
/// distances that use them: slot(d + 1) is slot(d) or slot(d) + 1. See attention_positions.h.
struct DistanceSlots {
  const int32_t* slot_of = nullptr;  // [last - first + 1]: slot_of[d - first]
  int32_t first = 0;                 // from first to first + kSlotMargin the slot is 0, as it is below
  int32_t last = 0;                  // from last - kSlotMargin to last the slot is the last one, as it is above
  int32_t linear_low = 1;            // slot(d) = slot(linear_low) + d - linear_low
  int32_t linear_high = 0;           //   for linear_low <= d <= linear_high; an empty range if there is none
};

/// Rows that will be read soon, fetched a few at a time while products are computed: rows of one head lie kilobytes
/// apart, where no hardware prefetcher follows. More lines at once than a core has fill buffers (16) stall the product.
struct RowPrefetch {
  struct Rows {
    const char* at = nullptr;
    int64_t stride = 0;  // in bytes
    int64_t count = 0;
  };
  Rows rows[4];
  int num_rows = 0;  // entries of `rows`
  int current = 0;
  int64_t bytes = 0;  // of one row
  int at_once = 0;    // rows per register tile of a product
};

/// product[r][v] = init[v] + sum over k of rows[r][k] * columns[k][v]; summed over k in ascending order, whatever the
/// tiling.
struct RowsProduct {
  const float* rows = nullptr;  // [blocks][...][16] words: row r of block b at b * block_stride + r * 16
  int64_t block_stride = 0;     // in words
  int num_rows = 0;
  int blocks = 0;
  const float* columns = nullptr;  // word k of vector v at k * column_stride + v * vector_stride
  int64_t column_stride = 0;
  int64_t vector_stride = 0;
  int vectors = 0;
  const float* init = nullptr;  // [vectors * width], null: zeros
  float* product = nullptr;     // row r of vector v at r * product_stride + v * product_vector_stride
  int64_t product_stride = 0;
  int64_t product_vector_stride = 0;
  RowPrefetch* prefetch = nullptr;  // optional
};

/// The raw products Q K^T of a tile become scores when the position terms are added.
struct ScoreTile {
  float* scores = nullptr;  // [vectors][keys][width], in place, vectors score_vector_stride apart
  int64_t score_vector_stride = 0;
  int keys = 0;
  int vectors = 0;       // vectors of queries that are in use
  int64_t distance = 0;  // position of query lane 0 minus position of key row 0
  const int32_t* offsets =
      nullptr;  // [query_strip] gapped queries: position of each minus that of lane 0; null: 0, 1, 2, ...
  const float* c2p = nullptr;  // [vectors][slots from c2p_first][width], already scaled; null: absent
  int64_t c2p_vector_stride = 0;
  int64_t c2p_first = 0;
  const float* p2c = nullptr;  // [keys, slots from p2c_first], row stride p2c_stride, not scaled; null: absent
  int64_t p2c_first = 0;
  int64_t p2c_stride = 0;
  float scale = 1.0f;
  DistanceSlots slots;
};

/// sums[q][c] = (correction[q] * sums[q][c]) + sum over keys of weights[key][q] * values[key][c]; with a divisor, the
/// last step: output[q][c] = that / divisor[q], and what sums holds afterwards does not matter.
struct WeightedSum {
  const float* weights = nullptr;  // [vectors of queries][keys / group][width] words
  int64_t weight_vector_stride = 0;
  int steps = 0;  // key groups
  int queries = 0;
  const float* values = nullptr;  // [keys / group, head_dim rounded up to vectors] words
  int64_t value_stride = 0;
  int head_dim = 0;
  const float* correction = nullptr;  // [query_strip]; null: sums start from zero
  float* sums = nullptr;              // [query_strip, head_dim rounded up to vectors]
  const float* divisor = nullptr;     // [query_strip]
  float* output = nullptr;            // [queries, head_dim], rows output_stride apart
  int64_t output_stride = 0;
  RowPrefetch* prefetch = nullptr;  // optional
};

constexpr int kRowsRead = 16;  // a product may read its packed rows up to a multiple of this, and drop what comes of it

/// The stages whose operands depend on the compute dtype.
struct AttentionProducts {
  int group = 0;        // values per word; 0: this instruction set lacks the dtype
  int p2c_rows = 0;     // keys that share one window of distances in K . pos_query
  int c2p_vectors = 1;  // vectors of queries that share one in pos_key . Q

  // rows [count, head_dim] float32 -> packed rows, block b at packed + b * block_stride; head_dim padded with zeros.
  void (*pack_rows)(const float* rows, int64_t stride, int count, int head_dim, float* packed,
                    int64_t block_stride) = nullptr;
  // (rows + addend) * scale, [count, head_dim] -> [vectors][words of head_dim][width], zeros beyond; addend [head_dim]
  // optional.
  void (*pack_queries)(const float* rows, int64_t stride, int count, int head_dim, const float* addend, float scale,
                       float* packed) = nullptr;
  // rows [count, head_dim] -> [ceil(count / group), value_stride] words, key groups interleaved, zeros beyond.
  void (*pack_values)(const float* rows, int64_t stride, int count, int head_dim, float* packed,
                      int64_t value_stride) = nullptr;
  void (*multiply_rows)(const RowsProduct& args) = nullptr;
  // scores [vectors][keys][width] -> exp(score - largest[lane]) as weights [vectors][ceil(keys / group)][width], in
  // place; sum[lane] += the exponentials.
  void (*exponentiate)(float* scores, int64_t vector_stride, int keys, int vectors, const float* largest,
                       float* sum) = nullptr;
  void (*weigh_values)(const WeightedSum& args) = nullptr;
};

struct AttentionMicrokernels {
  int width = 0;        // floats of a vector
  int query_strip = 0;  // queries of a strip: kStripVectors vectors

  AttentionProducts float32;
  AttentionProducts bfloat16;

  // Adds c2p and p2c; tile_max[lane] = the largest score of each lane.
  void (*add_positions)(const ScoreTile& tile, float* tile_max) = nullptr;
  // largest, correction [query_strip] after one more tile: correction = exp(old - new), sum *= correction.
  void (*update_softmax)(const float* tile_max, int vectors, float* largest, float* correction, float* sum) = nullptr;
  // probabilities[i] = exp(scores[i] - largest) * factor, in place, for attention maps.
  void (*normalize)(float* scores, int64_t count, float largest, float factor) = nullptr;
};

// One per file isa/attention_<name>.cpp: what an extension of AVX-512 adds, as `bfloat16`.
extern const AttentionProducts kAvx512Bf16AttentionMicrokernels;
extern const AttentionProducts kAmxAttentionMicrokernels;

}  // namespace deberta
