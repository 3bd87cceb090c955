// What the opaque weight handles are here: device copies in the compute dtype, rows padded to whole vectors.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/ops.h"

namespace deberta::cuda {

/// Parts one below the other: their outputs are side by side.
struct Linear {
  void* weight = nullptr;  // [out_features of all parts, pitch]
  float* bias = nullptr;   // [out_features of all parts]; null where no part has one
  int64_t in_features = 0;
  int64_t pitch = 0;                  // elements per row, in_features rounded up, zeros between
  std::vector<int64_t> part_offsets;  // [num_parts + 1]: first output of each part
  size_t bytes = 0;
};

struct Table {
  void* data = nullptr;  // [rows, pitch]
  int64_t rows = 0, cols = 0, pitch = 0;
  size_t bytes = 0;
};

/// Conv1d as a product with the `kernel_size` neighbouring rows of each token.
struct Conv {
  std::vector<Linear> groups;  // each [channels / groups, kernel_size * channels / groups], inputs tap by tap
  int64_t channels = 0;
  int kernel_size = 0;
  size_t bytes = 0;

  static constexpr int64_t kChunkTokens = 4096;
};

/// pos_key and pos_query with one row per distance, largest distance first, so that the rows a tile of scores needs are
/// neighbours. Beyond [nearest_low, nearest_high] all rows are the same: there the tables go on for kMargin rows and
/// readers clamp.
struct Positions {
  void* pos_key = nullptr;    // [rows, num_heads * head_dim]; null: no c2p
  void* pos_query = nullptr;  // [rows, num_heads * head_dim]; null: no p2c
  int64_t rows = 0;
  int64_t width = 0;         // num_heads * head_dim
  int32_t top_distance = 0;  // of row 0; row r is for distance top_distance - r
  int32_t high = 0;          // distances >= high share one row
  int32_t low = 0;           // distances <= low share one row
  size_t bytes = 0;

  static constexpr int32_t kMargin = 256;  // more than the distances in the widest tile of scores
};

/// Bytes that the neighbours of one chunk of tokens take in the widest convolution packed so far, on any context.
size_t widest_neighbours();

inline const Linear& own(const PackedLinear* packed) { return *reinterpret_cast<const Linear*>(packed); }
inline const Table& own(const PackedTable* packed) { return *reinterpret_cast<const Table*>(packed); }
inline const Conv& own(const PackedConv* packed) { return *reinterpret_cast<const Conv*>(packed); }
inline const Positions& own(const PackedPositions* packed) { return *reinterpret_cast<const Positions*>(packed); }

PackedLinear* pack_linear(OpContext* context, const LinearPart* parts, int num_parts);
PackedConv* pack_conv(OpContext* context, const ConvWeight& weight);
PackedTable* pack_table(OpContext* context, const WeightView& table);
PackedPositions* pack_positions(OpContext* context, const PositionsArgs& args);
void free_linear(OpContext* context, PackedLinear* packed);
void free_conv(OpContext* context, PackedConv* packed);
void free_table(OpContext* context, PackedTable* packed);
void free_positions(OpContext* context, PackedPositions* packed);

}  // namespace deberta::cuda
