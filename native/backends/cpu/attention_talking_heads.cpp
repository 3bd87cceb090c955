// Two passes over the keys, a small tile of all heads at a time: the first finds the maximum and the sum of every
// softmax, the second computes the same scores again, now as probabilities, mixes them and weighs the values.
#include "backends/cpu/attention_talking_heads.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace deberta {

namespace {

constexpr int kTalkingTile = 32;  // keys at a time: all heads of a tile stay in the cache

}  // namespace

TalkingHeads::TalkingHeads(const AttentionMicrokernels& kernels, int num_heads, int head_dim, ScratchCursor& scratch)
    : kernels_(kernels), num_heads_(num_heads), head_dim_(head_dim) {
  tile_floats_ = static_cast<int64_t>(kTalkingTile) * kernels.query_strip;
  scores_ = scratch.floats(num_heads * tile_floats_);
  mixed_ = scratch.floats(num_heads * tile_floats_);
  largest_ = scratch.floats(static_cast<int64_t>(num_heads) * kernels.query_strip);
  sum_ = scratch.floats(static_cast<int64_t>(num_heads) * kernels.query_strip);
}

void TalkingHeads::attend(const AttentionProducts& products, const AttentionArgs& args, const QueryRange& range,
                          float* map, int64_t map_stride, AttentionBlock& block) {
  products_ = &products;
  block_ = &block;
  for (int64_t first = 0; first < range.num_rows; first += kernels_.query_strip) {
    QueryRange strip = range;
    strip.row_begin += first;
    strip.num_rows = std::min<int64_t>(kernels_.query_strip, range.num_rows - first);
    strip.position += first;
    if (range.positions) strip.positions += first;
    attend_strip(args, strip, map ? map + first * range.num_keys : nullptr, map_stride);
  }
}

void TalkingHeads::attend_strip(const AttentionArgs& args, const QueryRange& strip, float* map, int64_t map_stride) {
  const int width = kernels_.query_strip;
  std::fill_n(largest_, num_heads_ * width, -std::numeric_limits<float>::infinity());
  std::fill_n(sum_, num_heads_ * width, 0.0f);
  const auto for_tiles = [&](auto&& body) {
    for (int64_t key = 0; key < strip.num_keys; key += kTalkingTile) {
      const KeyTile tile{key, static_cast<int>(std::min<int64_t>(kTalkingTile, strip.num_keys - key))};
      mixed_scores(args, strip, tile);
      body(tile);
    }
  };
  for_tiles([&](const KeyTile& tile) { update_softmax(tile, static_cast<int>(strip.num_rows)); });

  for (int64_t q = 0; q < strip.num_rows; ++q) {
    float* output = static_cast<float*>(args.output.data) + (strip.row_begin + q) * args.output.stride;
    std::fill_n(output, static_cast<int64_t>(num_heads_) * head_dim_, 0.0f);
  }
  for_tiles([&](const KeyTile& tile) {
    for (int64_t h = 0; h < num_heads_; ++h) {
      for (int64_t i = 0; i < static_cast<int64_t>(tile.count) * width; ++i) {
        const int64_t at = h * width + i % width;
        if (i % width >= strip.num_rows) continue;
        scores_[h * tile_floats_ + i] = std::exp(scores_[h * tile_floats_ + i] - largest_[at]) / sum_[at];
      }
    }
    if (args.head_weights_proj) mix(args.head_weights_proj);
    weigh_values(args, strip, tile);
    if (!map) return;
    for (int64_t h = 0; h < num_heads_; ++h) {
      for (int64_t q = 0; q < strip.num_rows; ++q) {
        float* row = map + h * map_stride + q * strip.num_keys + tile.begin;
        for (int key = 0; key < tile.count; ++key) row[key] = scores_[h * tile_floats_ + key * width + q];
      }
    }
  });
}

/// scores_ = head_logits_proj over the heads of the scores of a strip and a tile.
void TalkingHeads::mixed_scores(const AttentionArgs& args, const QueryRange& strip, const KeyTile& tile) {
  for (int h = 0; h < num_heads_; ++h) {
    block_->begin(args, *products_, strip, h);
    block_->begin_tile(tile, nullptr);
    block_->score(block_->strip(0));
    float* scores = scores_ + h * tile_floats_;
    for (int key = 0; key < tile.count; ++key) {
      for (int q = 0; q < strip.num_rows; ++q) scores[key * kernels_.query_strip + q] = block_->score(key, q);
    }
  }
  if (args.head_logits_proj) mix(args.head_logits_proj);
}

/// scores_[out] = sum over in of projection[out][in] * scores_[in].
void TalkingHeads::mix(const float* projection) {
  std::fill_n(mixed_, num_heads_ * tile_floats_, 0.0f);
  for (int64_t out = 0; out < num_heads_; ++out) {
    for (int64_t in = 0; in < num_heads_; ++in) {
      const float factor = projection[out * num_heads_ + in];
      const float* from = scores_ + in * tile_floats_;
      float* to = mixed_ + out * tile_floats_;
      for (int64_t i = 0; i < tile_floats_; ++i) to[i] += factor * from[i];
    }
  }
  std::swap(scores_, mixed_);
}

void TalkingHeads::update_softmax(const KeyTile& tile, int queries) {
  const int width = kernels_.query_strip;
  for (int64_t h = 0; h < num_heads_; ++h) {
    for (int q = 0; q < queries; ++q) {
      const float* scores = scores_ + h * tile_floats_ + q;
      float& largest = largest_[h * width + q];
      float& sum = sum_[h * width + q];
      const float before = largest;
      for (int key = 0; key < tile.count; ++key) largest = std::max(largest, scores[key * width]);
      sum *= std::exp(before - largest);
      for (int key = 0; key < tile.count; ++key) sum += std::exp(scores[key * width] - largest);
    }
  }
}

/// output += probabilities V for the keys of a tile.
void TalkingHeads::weigh_values(const AttentionArgs& args, const QueryRange& strip, const KeyTile& tile) {
  for (int64_t h = 0; h < num_heads_; ++h) {
    for (int64_t q = 0; q < strip.num_rows; ++q) {
      float* output =
          static_cast<float*>(args.output.data) + (strip.row_begin + q) * args.output.stride + h * head_dim_;
      for (int key = 0; key < tile.count; ++key) {
        const float weight = scores_[h * tile_floats_ + key * kernels_.query_strip + q];
        const float* value = static_cast<const float*>(args.value.data) +
                             (strip.key_begin + tile.begin + key) * args.value.stride + h * head_dim_;
        for (int c = 0; c < head_dim_; ++c) output[c] += weight * value[c];
      }
    }
  }
}

}  // namespace deberta
