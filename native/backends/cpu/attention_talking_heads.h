// Attention whose heads talk (version 1 only): scores are mixed over the heads before the softmax, probabilities after
// it. No released checkpoint asks for it: this path is correct and bounded in memory, and that is all.
#pragma once

#include "backends/cpu/attention_block.h"

namespace deberta {

class TalkingHeads {
 public:
  TalkingHeads(const AttentionMicrokernels& kernels, int num_heads, int head_dim, ScratchCursor& scratch);

  /// All heads of a range of queries. map: [queries of the range, keys] of head 0, that of head h at h * map_stride; or
  /// null.
  void attend(const AttentionProducts& products, const AttentionArgs& args, const QueryRange& range, float* map,
              int64_t map_stride, AttentionBlock& block);

 private:
  void attend_strip(const AttentionArgs& args, const QueryRange& strip, float* map, int64_t map_stride);
  void mixed_scores(const AttentionArgs& args, const QueryRange& strip, const KeyTile& tile);
  void mix(const float* projection);
  void update_softmax(const KeyTile& tile, int queries);
  void weigh_values(const AttentionArgs& args, const QueryRange& strip, const KeyTile& tile);

  const AttentionMicrokernels& kernels_;
  const AttentionProducts* products_ = nullptr;
  AttentionBlock* block_ = nullptr;
  int num_heads_;
  int head_dim_;
  int64_t tile_floats_;  // of one head in scores_
  float* scores_;        // [num_heads, keys of a tile, strip]
  float* mixed_;         // the same, after a projection over the heads
  float* largest_;       // [num_heads, strip]
  float* sum_;           // [num_heads, strip]
};

}  // namespace deberta
