// One block of queries of one head, against the keys of its sequence a tile at a time: who stands where in scratch
// memory, and the stages from packed operands to scores. attention.cpp turns scores into outputs,
// attention_talking_heads.cpp mixes them over the heads first.
//
// All of it fits in the cache of a core and is bounded by the constants here, whatever the lengths of the sequences.
#pragma once

#include <cstdint>

#include "backends/cpu/attention_positions.h"
#include "backends/cpu/context.h"
#include "ops/ops.h"

namespace deberta {

constexpr int kKeyTile = 128;     // keys that one pass over the strips of a block covers
constexpr int kQueryBlock = 256;  // positions that a block spans at most, a multiple of every strip
constexpr int kMaxStrips = 16;    // of a block: kQueryBlock over the narrowest strip (16)

/// Hands out 64-byte aligned pieces of an arena; from a null base it only counts.
class ScratchCursor {
 public:
  explicit ScratchCursor(std::byte* base) : base_(base) {}

  float* floats(int64_t count) {
    float* piece = base_ ? reinterpret_cast<float*>(base_ + bytes_) : nullptr;
    bytes_ += (static_cast<size_t>(count) * sizeof(float) + 63) / 64 * 64;
    return piece;
  }
  size_t bytes() const { return bytes_; }

 private:
  std::byte* base_;
  size_t bytes_ = 0;
};

/// The queries of one sequence that a block is about: rows of args.query, all of which attend to the same keys.
struct QueryRange {
  int64_t key_begin = 0;  // first row of the sequence in key and value
  int64_t num_keys = 0;
  int64_t row_begin = 0;               // first row of the block in query and output
  int64_t num_rows = 0;                // <= kQueryBlock
  int64_t position = 0;                // of the first row in its sequence
  const int32_t* positions = nullptr;  // [num_rows] of gapped queries, ascending, within kQueryBlock; null: dense
};

/// Slots [low, high]; none if high < low.
struct SlotRange {
  int64_t low;
  int64_t high;
};

/// Up to kStripVectors vectors of queries, and what is kept for them between tiles. Set by AttentionBlock::begin.
struct QueryStrip {
  int64_t first;  // row within the block
  int count;
  int vectors;
  int64_t first_position;
  int64_t last_position;
  int32_t offsets[kMaxQueryStrip];     // gapped: position of each lane minus first_position
  SlotRange c2p_slots[kStripVectors];  // that c2p holds of each vector
  int64_t c2p_first;                   // slot of the first row of c2p
  bool far_ready[2];

  float* queries;         // [vectors][words][width], scaled
  float* far_queries[2];  // the same plus pos_query of the first or last slot
  float* far_c2p[2];      // [strip]: c2p of the first or last slot
  float* c2p;             // [vectors][slots of the window][width]
  float* sums;            // [strip, head_dim rounded up to vectors], of values
  float* largest;         // [strip]
  float* sum;             // [strip]
  float* correction;      // [strip]
};

/// Keys [begin, begin + count) of the sequence.
struct KeyTile {
  int64_t begin = 0;
  int count = 0;
};

/// What a worker is likely to compute next.
struct NextBlock {
  QueryRange range;
  int head = 0;
};

/// The values of a tile: [keys / group, head_dim rounded up to vectors] words, rows `stride` apart.
struct ValueRows {
  const float* rows = nullptr;
  int64_t stride = 0;
};

class AttentionBlock {
 public:
  /// Lays out scratch for heads of `head_dim`; with a null cursor base only its size is of use.
  AttentionBlock(const AttentionMicrokernels& kernels, int head_dim, ScratchCursor& scratch);

  /// Begins a block: packs its queries, strip by strip.
  void begin(const AttentionArgs& args, const AttentionProducts& products, const QueryRange& range, int head);

  /// Packs the keys of a tile and computes p2c where some strip is not far from all of them. next: on the last tile,
  /// the block whose rows are fetched in the meantime, as are those that this block will write; or null.
  void begin_tile(const KeyTile& tile, const NextBlock* next);

  /// scores() = scale * (Q K^T + c2p + p2c) of a strip and the tile; tile_max() = the largest per query.
  void score(QueryStrip& strip);

  /// Chooses values(): the rows of the tile as they lie, or packed.
  void begin_values();

  int num_strips() const { return num_strips_; }
  QueryStrip& strip(int i) { return strips_[i]; }
  const KeyTile& tile() const { return tile_; }
  int strip_width() const { return kernels_.query_strip; }
  float* scores() const { return scores_; }  // [vectors][kKeyTile][width]
  int64_t score_vector_stride() const { return static_cast<int64_t>(kKeyTile) * kernels_.width; }
  float score(int key, int query) const {
    const int width = kernels_.width;
    return scores_[query / width * score_vector_stride() + key * width + query % width];
  }
  RowPrefetch* prefetch() { return &prefetch_; }
  float* tile_max() const { return tile_max_; }  // [strip]
  const ValueRows& values() const { return values_; }

 private:
  void place_strips();
  size_t place_strip(std::byte* base, QueryStrip& strip) const;
  int far_side(const QueryStrip& strip) const;
  void make_far_ready(QueryStrip& strip, int side);
  void extend_c2p(QueryStrip& strip);
  int64_t query_vector_stride() const { return static_cast<int64_t>(blocks_) * kBlockWords * kernels_.width; }
  int64_t c2p_vector_stride() const;
  SlotRange c2p_window(const QueryStrip& strip, int vector) const;
  void multiply_c2p(const QueryStrip& strip, const SlotRange* missing);
  void compute_p2c(int64_t first_position, int64_t last_position);
  void multiply_panels(int first_key, int num_keys, int64_t first_panel, int64_t last_panel);
  const float* head_rows(const ConstMatrix& matrix, int64_t row) const;
  void prefetch_rows(const ConstMatrix& matrix, int64_t row, int64_t count, int head);
  void prefetch_next(const NextBlock& next);

  const AttentionMicrokernels& kernels_;
  const AttentionProducts* products_ = nullptr;
  const AttentionArgs* args_ = nullptr;
  const CpuPositions* positions_ = nullptr;
  QueryRange range_;
  KeyTile tile_;
  RowPrefetch prefetch_;
  int head_ = 0;
  int head_dim_;
  int blocks_ = 0;  // of kBlockWords words
  int64_t value_stride_;
  int64_t c2p_slack_;  // rows that kernels may read on either side of the window

  int num_strips_ = 0;
  size_t strip_bytes_;
  std::byte* strips_base_;  // [kQueryBlock / strip] pieces of strip_bytes_
  QueryStrip strips_[kMaxStrips];
  float* keys_;           // [blocks, kKeyTile, 16]
  float* packed_values_;  // [kKeyTile, value_stride]
  ValueRows values_;
  float* p2c_;             // [kKeyTile, kP2cStride]
  int64_t p2c_panel_ = 0;  // the first panel of p2c_
  float* scores_;
  float* tile_max_;
};

}  // namespace deberta
