// Adding c2p and p2c to the raw products of a tile: scores [keys, queries] += c2p + scale * p2c, with no gather.
//
// For a key, the queries of one vector stand at consecutive distances d, d + 1, ..., whose slots rise by 0 or 1.
//   p2c [key, slot]: the slots of a vector lie within kWidth consecutive floats: one load, then a permutation.
//   c2p [slot, query]: lane l of key g needs row slot(d - g + l). For kWidth neighbouring keys these are 2 kWidth - 1
//   rows, each shifted by one lane against the next; log2(kWidth) rounds of blends of rows 2^s apart shear them all at
//   once.
#pragma once

#include "backends/cpu/isa/attention_words.inl.h"

namespace deberta {
namespace {

inline int32_t slot_at(const DistanceSlots& slots, int64_t d) {
  return slots.slot_of[(d < slots.first ? slots.first : d > slots.last ? slots.last : d) - slots.first];
}

/// The slots of distances d .. d + 2 * kWidth - 2.
inline const int32_t* consecutive_slots(const DistanceSlots& slots, int64_t d) {
  const int64_t last = slots.last - kSlotMargin + 1;  // from there on all of them have the last slot
  return slots.slot_of + ((d < slots.first ? slots.first : d > last ? last : d) - slots.first);
}

/// result[q]: lane l from row(q + l), q < kWidth, of 2 * kWidth - 1 rows.
template <class Row>
inline void shear(Row row, Vec* result) {
  Mask even[4];  // even[s]: lanes whose bit s is zero
  alignas(64) float bits[4][kWidth];
  for (int s = 0; s < 4; ++s) {
    for (int l = 0; l < kWidth; ++l) bits[s][l] = (l >> s) & 1 ? 1.0f : -1.0f;
    even[s] = less(load(bits[s]), zero());
  }
  constexpr int kStages = kWidth == 16 ? 4 : kWidth == 8 ? 3 : 2;
  constexpr int kHalf = kWidth / 2;
  Vec r[kWidth + kHalf - 1];
#pragma GCC unroll 32
  for (int q = 0; q < kWidth + kHalf - 1; ++q) {
    r[q] = select(even[kStages - 1], load(row(q)), load(row(q + kHalf)));
  }
  int count = kWidth + kHalf - 1;
#pragma GCC unroll 4
  for (int s = kStages - 2; s >= 0; --s) {
    count -= 1 << s;
#pragma GCC unroll 32
    for (int q = 0; q < kWidth + kHalf - 1; ++q) {
      if (q < count) r[q] = select(even[s], r[q], r[q + (1 << s)]);
    }
  }
#pragma GCC unroll 16
  for (int q = 0; q < kWidth; ++q) result[q] = r[q];
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
  const float* c2p = tile.c2p + v * tile.c2p_vector_stride;
  float* scores = tile.scores + v * tile.score_vector_stride;
  Vec largest = splat(-__builtin_inff());
  for (int first = 0; first < tile.keys; first += kWidth) {
    const int n = min_int(kWidth, tile.keys - first);
    const int64_t d = tile.distance + v * kWidth - first;  // of lane 0 and key `first`; key g stands at d - g
    const int64_t lowest = d - (kWidth - 1);               // of lane 0 and key kWidth - 1
    const bool linear = lowest >= tile.slots.linear_low && d + kWidth - 1 <= tile.slots.linear_high;
    const int32_t* slots = consecutive_slots(tile.slots, lowest);
    Vec from_query[kWidth];  // c2p of the keys, last key first
    if (HasC2p && linear) {
      const float* rows = c2p + (slots[0] - tile.c2p_first) * kWidth;
      shear([=](int q) { return rows + q * kWidth; }, from_query);
    } else if (HasC2p) {
      shear([=](int q) { return c2p + (slots[q] - tile.c2p_first) * kWidth; }, from_query);
    }
#pragma GCC unroll 16
    for (int g = 0; g < kWidth; ++g) {
      if (g >= n) break;
      Vec from_key = zero();
      if (HasP2c) {
        const int32_t* slot = slots + (kWidth - 1 - g);
        from_key = load(tile.p2c + (first + g) * tile.p2c_stride + slot[0] - tile.p2c_first);
        if (!linear) from_key = permute(from_key, sub_int(load_int(slot), splat_int(slot[0])));
      }
      largest = add_scores<HasC2p, HasP2c>(tile, scores + (first + g) * kWidth, from_query[kWidth - 1 - g], from_key,
                                           largest);
    }
  }
  return largest;
}

/// The same for queries anywhere: every score reads its own slot.
Vec add_positions_gapped(const ScoreTile& tile, int v) {
  const float* c2p = tile.c2p + v * tile.c2p_vector_stride;
  Vec largest = splat(-__builtin_inff());
  for (int key = 0; key < tile.keys; ++key) {
    float* scores = tile.scores + v * tile.score_vector_stride + key * kWidth;
    for (int l = 0; l < kWidth; ++l) {
      const int64_t slot = slot_at(tile.slots, tile.distance + tile.offsets[v * kWidth + l] - key);
      if (tile.c2p) scores[l] += c2p[(slot - tile.c2p_first) * kWidth + l];
      if (tile.p2c) scores[l] += tile.scale * tile.p2c[key * tile.p2c_stride + slot - tile.p2c_first];
    }
    largest = max(load(scores), largest);
  }
  return largest;
}

/// The same without positions.
Vec largest_scores(const ScoreTile& tile, int v) {
  const float* scores = tile.scores + v * tile.score_vector_stride;
  Vec largest = splat(-__builtin_inff());
  for (int key = 0; key < tile.keys; ++key) largest = max(load(scores + key * kWidth), largest);
  return largest;
}

void attention_add_positions(const ScoreTile& tile, float* tile_max) {
  for (int v = 0; v < tile.vectors; ++v) {
    Vec largest;
    if (!tile.c2p && !tile.p2c) {
      largest = largest_scores(tile, v);
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
