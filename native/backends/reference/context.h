// What the reference backend keeps behind the opaque handles of ops.h.
//
// They are not definitions of the types of ops.h but structs of this namespace, reached by a cast: see there.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/error.h"
#include "ops/ops.h"

namespace deberta::reference {

struct Context {
  // Scratch of one query row of attention, over all its heads. Sized by reserve().
  std::vector<double> scores;  // [num_heads, max_seqlen]
  std::vector<double> mixed;   // [num_heads, max_seqlen]: after a talking-heads projection

  const char* failure = nullptr;  // what the first op that could not run says; thrown by synchronize()

  // Copies held by the live handles that were packed here. A handle may be freed through another context, or after this
  // one, so it shares the counter.
  std::shared_ptr<std::atomic<size_t>> packed_bytes = std::make_shared<std::atomic<size_t>>(0);
};

/// Counts `bytes` in a context's packed_bytes for as long as it lives.
class Footprint {
 public:
  Footprint(OpContext* context, size_t bytes);
  ~Footprint() { *counter_ -= bytes_; }
  Footprint(const Footprint&) = delete;
  Footprint& operator=(const Footprint&) = delete;

 private:
  std::shared_ptr<std::atomic<size_t>> counter_;
  size_t bytes_;
};

struct Linear {
  struct Part {
    WeightView weight;        // [out_features, in_features]
    std::vector<float> bias;  // [out_features], or empty
  };
  std::vector<Part> parts;
  Footprint footprint;
};

struct Conv {
  WeightView weight;        // [channels, channels / groups * kernel_size]
  std::vector<float> bias;  // [channels], or empty
  int64_t channels = 0;
  int kernel_size = 0;
  int groups = 1;
  Footprint footprint;
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
  Footprint footprint;
};

inline Context& own(OpContext* context) { return *reinterpret_cast<Context*>(context); }
inline const Context& own(const OpContext* context) { return *reinterpret_cast<const Context*>(context); }
inline const Linear& own(const PackedLinear* packed) { return *reinterpret_cast<const Linear*>(packed); }
inline const Conv& own(const PackedConv* packed) { return *reinterpret_cast<const Conv*>(packed); }
inline const Table& own(const PackedTable* packed) { return *reinterpret_cast<const Table*>(packed); }
inline const Positions& own(const PackedPositions* packed) { return *reinterpret_cast<const Positions*>(packed); }

inline Footprint::Footprint(OpContext* context, size_t bytes) : counter_(own(context).packed_bytes), bytes_(bytes) {
  *counter_ += bytes_;
}

}  // namespace deberta::reference
