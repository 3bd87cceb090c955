// Which row of rel_embeddings belongs to every distance query - key. Computed once per model, in double; kernels only
// look rows up. What is done with the rows is in weights/position projections and in the attention op.
#pragma once

#include <cstdint>
#include <vector>

#include "model/config.h"
#include "ops/ops.h"

namespace deberta {

/// The signed bucket of a distance: itself up to bucket_size / 2, logarithmic beyond. With mid = bucket_size / 2:
///   sign(d) * (mid + ceil(ln(|d| / mid) / ln((max_position - 1) / mid) * (mid - 1)))   for |d| > mid.
/// `bucket_size` even and >= 4, max_position - 1 > mid. Not clamped: |d| >= max_position gives bucket_size and more, as
/// in transformers' make_log_bucket_position (microsoft/DeBERTa clamps d first and so uses row 1, not 0, for d <=
/// -max_position).
int64_t log_bucket_position(int64_t distance, int64_t bucket_size, int64_t max_position);

/// The whole map, up to where it becomes constant.
struct RelativePositionTable {
  std::vector<int32_t> rows;  // [2 * max_distance + 1]: rows[d + max_distance], from 0 to num_rows - 1, non-decreasing
  int32_t max_distance = 0;
  int32_t num_rows = 0;  // 2 * att_span

  /// A view for pack_positions; valid as long as the table.
  RelativeIndex index() const { return {rows.data(), max_distance, num_rows}; }
};

/// row(d) = clamp(bucket(d) + att_span, 0, 2 att_span - 1); bucket(d) = d without position_buckets.
RelativePositionTable make_relative_positions(const Config& config);

}  // namespace deberta
