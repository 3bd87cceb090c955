// Adding c2p and p2c to the raw products of a tile: scores [keys, queries] += c2p + scale * p2c, with no gather.
//
// For a key, the queries of one vector stand at consecutive distances d, d + 1, ..., whose slots rise by 0 or 1.
//   p2c [key, slot]: the slots of a vector lie within kWidth consecutive floats: one load, then a permutation.
//   c2p [slot, query]: lane l reads row slot(d + l): a staircase. Where slot(d) = d + constant, the staircases of
//   kWidth neighbouring keys overlap, and log2(kWidth) rounds of blends of rows s apart shear them all at once;
//   elsewhere each step of the staircase is one blend (a single load where all distances share a slot).
#pragma once

#include "backends/cpu/isa/attention_words.inl.h"

namespace deberta {
namespace {

inline int64_t clamp_distance(const DistanceSlots& slots, int64_t d) {
  return d < slots.first ? slots.first : d > slots.last ? slots.last : d;
}
inline int32_t slot_at(const DistanceSlots& slots, int64_t d) {
  return slots.slot_of[clamp_distance(slots, d) - slots.first];
}

// Lane - kWidth and so on: the load that starts at kWidth - n has negative values in its first n lanes.
alignas(64) const float kLaneRamp[2 * 16] = {-16, -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1,
                                             0,   1,   2,   3,   4,   5,   6,   7,  8,  9,  10, 11, 12, 13, 14, 15};
inline Mask lanes_below(int n) { return less(load(kLaneRamp + 16 - n), zero()); }

/// rows[q] with lane l from rows[q + l], q < kWidth, of 2 * kWidth - 1 rows `stride` apart: result[q].
inline void shear(const float* rows, int64_t stride, Vec* result) {
  Mask odd[4];  // lanes whose bit log2(shift) is zero
  alignas(64) float bits[4][kWidth];
  for (int s = 0; s < 4; ++s) {
    for (int l = 0; l < kWidth; ++l) bits[s][l] = (l >> s) & 1 ? 1.0f : -1.0f;
    odd[s] = less(load(bits[s]), zero());
  }
  constexpr int kStages = kWidth == 16 ? 4 : kWidth == 8 ? 3 : 2;
  constexpr int kHalf = kWidth / 2;
  Vec r[kWidth + kHalf - 1];
#pragma GCC unroll 32
  for (int q = 0; q < kWidth + kHalf - 1; ++q) {
    r[q] = select(odd[kStages - 1], load(rows + q * stride), load(rows + (q + kHalf) * stride));
  }
  int count = kWidth + kHalf - 1;
#pragma GCC unroll 4
  for (int s = kStages - 2; s >= 0; --s) {
    count -= 1 << s;
#pragma GCC unroll 32
    for (int q = 0; q < kWidth + kHalf - 1; ++q) {
      if (q < count) r[q] = select(odd[s], r[q], r[q + (1 << s)]);
    }
  }
#pragma GCC unroll 16
  for (int q = 0; q < kWidth; ++q) result[q] = r[q];
}

/// c2p of one key for queries at distances d .. d + kWidth - 1: one blend for every step of the staircase.
inline Vec staircase(const ScoreTile& tile, const float* c2p, int64_t d) {
  constexpr int kStrip = 2 * kWidth;
  const int32_t first = slot_at(tile.slots, d), last = slot_at(tile.slots, d + kWidth - 1);
  const float* row = c2p + (first - tile.c2p_first) * kStrip;
  Vec sum = load(row);
  for (int32_t s = first + 1; s <= last; ++s) {
    row += kStrip;
    sum = select(lanes_below((int)(tile.slots.slot_begin[s] - d)), sum, load(row));
  }
  return sum;
}

/// p2c of one key for queries at distances d .. d + kWidth - 1.
inline Vec permuted(const ScoreTile& tile, const float* p2c, int64_t d) {
  const int64_t start = d < tile.slots.first ? tile.slots.first : d > tile.slots.last ? tile.slots.last : d;
  const int32_t* slot = tile.slots.slot_of + (start - tile.slots.first);
  return permute(load(p2c + slot[0] - tile.p2c_first), sub_int(load_int(slot), splat_int(slot[0])));
}

template <bool HasC2p, bool HasP2c>
inline Vec add_scores(const ScoreTile& tile, float* scores, Vec c2p, Vec p2c, Vec largest) {
  Vec sum = load(scores);
  if (HasC2p) sum = sum + c2p;
  if (HasP2c) sum = fma(p2c, splat(tile.scale), sum);
  store(scores, sum);
  return max(sum, largest);
}

/// One vector of queries (the v-th) against all keys of the tile; the largest score of each lane.
template <bool HasC2p, bool HasP2c>
Vec add_positions_dense(const ScoreTile& tile, int v) {
  constexpr int kStrip = 2 * kWidth;
  const float* c2p = tile.c2p + v * kWidth;
  float* scores = tile.scores + v * kWidth;
  Vec largest = splat(-__builtin_inff());
  for (int first = 0; first < tile.keys; first += kWidth) {
    const int n = min_int(kWidth, tile.keys - first);
    const int64_t d = tile.distance + v * kWidth - first;  // of lane 0 and key `first`; key g stands at d - g
    const bool linear = d - (kWidth - 1) >= tile.slots.linear_low && d + kWidth - 1 <= tile.slots.linear_high;
    if (linear) {
      const int64_t lowest = slot_at(tile.slots, d) - (kWidth - 1);  // slot of lane 0 and key kWidth - 1
      Vec sheared[kWidth];
      if (HasC2p) shear(c2p + (lowest - tile.c2p_first) * kStrip, kStrip, sheared);
      const float* p2c = tile.p2c + first * tile.p2c_stride + (lowest + kWidth - 1 - tile.p2c_first);
#pragma GCC unroll 16
      for (int g = 0; g < kWidth; ++g) {
        if (g >= n) break;
        const Vec from_key = HasP2c ? load(p2c + g * (tile.p2c_stride - 1)) : zero();
        largest =
            add_scores<HasC2p, HasP2c>(tile, scores + (first + g) * kStrip, sheared[kWidth - 1 - g], from_key, largest);
      }
    } else {
      for (int g = 0; g < n; ++g) {
        const Vec from_query = HasC2p ? staircase(tile, c2p, d - g) : zero();
        const Vec from_key = HasP2c ? permuted(tile, tile.p2c + (first + g) * tile.p2c_stride, d - g) : zero();
        largest = add_scores<HasC2p, HasP2c>(tile, scores + (first + g) * kStrip, from_query, from_key, largest);
      }
    }
  }
  return largest;
}

/// The same for queries anywhere: every score reads its own slot.
Vec add_positions_gapped(const ScoreTile& tile, int v) {
  constexpr int kStrip = 2 * kWidth;
  Vec largest = splat(-__builtin_inff());
  for (int key = 0; key < tile.keys; ++key) {
    float* scores = tile.scores + key * kStrip + v * kWidth;
    for (int l = 0; l < kWidth; ++l) {
      const int lane = v * kWidth + l;
      const int64_t slot = slot_at(tile.slots, tile.distance + tile.offsets[lane] - key);
      if (tile.c2p) scores[l] += tile.c2p[(slot - tile.c2p_first) * kStrip + lane];
      if (tile.p2c) scores[l] += tile.scale * tile.p2c[key * tile.p2c_stride + slot - tile.p2c_first];
    }
    largest = max(load(scores), largest);
  }
  return largest;
}

void attention_add_positions(const ScoreTile& tile, float* tile_max) {
  for (int v = 0; v < tile.vectors; ++v) {
    Vec largest;
    if (!tile.c2p && !tile.p2c) {
      largest = add_positions_dense<false, false>(tile, v);
    } else if (tile.offsets) {
      largest = add_positions_gapped(tile, v);
    } else if (tile.c2p && tile.p2c) {
      largest = add_positions_dense<true, true>(tile, v);
    } else if (tile.c2p) {
      largest = add_positions_dense<true, false>(tile, v);
    } else {
      largest = add_positions_dense<false, true>(tile, v);
    }
    store(tile_max + v * kWidth, largest);
  }
}

}  // namespace
}  // namespace deberta
