// pos_key and pos_query of one layer as the attention kernels read them, and the slots that distances map to.
//
// Only rows that some distance uses are kept, in the order of the distances: their places are "slots". Where the
// caller's index jumps by more than one row (small buckets, large spans) slots still rise by 0 or 1 per distance, which
// is what lets the kernels read a vector of distances with one load.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/cpu/context.h"
#include "ops/ops.h"

namespace deberta {

/// The position tables behind the opaque handle. All arrays are laid out for one instruction set and one compute dtype.
struct CpuPositions {
  const AttentionProducts* products = nullptr;  // of the dtype that the tables are in
  int num_heads = 0;
  int head_dim = 0;
  int num_slots = 0;
  int32_t far_low = 0;   // every distance <= far_low has slot 0
  int32_t far_high = 0;  // every distance >= far_high has slot num_slots - 1

  std::vector<int32_t> slot_of;
  DistanceSlots slots;  // a view of slot_of

  // c2p: pos_key as packed rows, one table a head: [num_heads][blocks][key_rows][16 words].
  AlignedBuffer pos_key;
  int64_t key_rows = 0;
  // p2c: pos_query as columns, one table a head: [num_heads][num_panels][words][width]; slot s is column s +
  // panel_shift.
  AlignedBuffer pos_query;
  int num_panels = 0;
  int panel_shift = 0;
  // pos_query of the first and the last slot, float32: [2][num_heads][head_dim]. Far away it joins the query itself.
  std::vector<float> far_query;

  size_t bytes = 0;
  std::shared_ptr<std::atomic<size_t>> packed_bytes;  // the counter of the context that made this

  int64_t key_head_words = 0;    // words of one head in pos_key
  int64_t query_head_words = 0;  // and in pos_query
  bool has_pos_key() const { return key_head_words > 0; }
  bool has_pos_query() const { return query_head_words > 0; }

  int32_t slot(int64_t distance) const {
    const int64_t d = distance < slots.first ? slots.first : distance > slots.last ? slots.last : distance;
    return slots.slot_of[d - slots.first];
  }
};

inline const CpuPositions* as_cpu(const PackedPositions* packed) {
  return reinterpret_cast<const CpuPositions*>(packed);
}

/// The products that attention uses for a compute dtype: float32 for float32; for bfloat16 and int8 the pairs of
/// bfloat16 where the instruction set has them, else float32.
const AttentionProducts& attention_products(const CpuContext& context);

}  // namespace deberta
