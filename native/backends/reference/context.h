// What the reference backend keeps behind the opaque handles of ops.h.
//
// They are not definitions of the types of ops.h but structs of this namespace, reached by a cast: see there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/error.h"
#include "ops/ops.h"

namespace deberta::reference {

struct Context {
  // Scratch of one query row of attention, over all its heads. Sized by reserve().
  std::vector<double> scores;  // [num_heads, max_seqlen]
  std::vector<double> mixed;   // [num_heads, max_seqlen]: after a talking-heads projection

  const char* failure = nullptr;  // what the first op that could not run says; thrown by synchronize()
  size_t packed_bytes = 0;        // copies held by live handles
};

struct Linear {
  struct Part {
    WeightView weight;        // [out_features, in_features]
    std::vector<float> bias;  // [out_features], or empty
  };
  std::vector<Part> parts;
  size_t bytes = 0;
};

struct Conv {
  WeightView weight;        // [channels, channels / groups * kernel_size]
  std::vector<float> bias;  // [channels], or empty
  int64_t channels = 0;
  int kernel_size = 0;
  int groups = 1;
};

struct Table {
  WeightView view;  // [rows, features]
};

struct Positions {
  std::vector<float> pos_key;    // [num_rows, width], or empty: no c2p
  std::vector<float> pos_query;  // [num_rows, width], or empty: no p2c
  std::vector<int32_t> rows;     // [2 * max_distance + 1]
  int32_t max_distance = 0;
  int64_t width = 0;  // num_heads * head_dim
  size_t bytes = 0;
};

inline Context& own(OpContext* context) { return *reinterpret_cast<Context*>(context); }
inline const Context& own(const OpContext* context) { return *reinterpret_cast<const Context*>(context); }
inline const Linear& own(const PackedLinear* packed) { return *reinterpret_cast<const Linear*>(packed); }
inline const Conv& own(const PackedConv* packed) { return *reinterpret_cast<const Conv*>(packed); }
inline const Table& own(const PackedTable* packed) { return *reinterpret_cast<const Table*>(packed); }
inline const Positions& own(const PackedPositions* packed) { return *reinterpret_cast<const Positions*>(packed); }

}  // namespace deberta::reference
