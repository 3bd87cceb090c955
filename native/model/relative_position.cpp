// Source: transformers modeling_deberta_v2.py make_log_bucket_position, build_relative_position,
// disentangled_attention_bias; modeling_deberta.py for the version without buckets.
#include "model/relative_position.h"

#include <algorithm>
#include <cmath>

namespace deberta {

int64_t log_bucket_position(int64_t distance, int64_t bucket_size, int64_t max_position) {
  const int64_t mid = bucket_size / 2;
  const int64_t magnitude = std::abs(distance);
  if (magnitude <= mid) return distance;
  // At magnitude == max_position - 1 both logarithms are the same number, so that the quotient is exactly 1.
  const double scale = std::log(static_cast<double>(max_position - 1) / static_cast<double>(mid));
  const double position = std::log(static_cast<double>(magnitude) / static_cast<double>(mid)) / scale;
  const auto bucket = static_cast<int64_t>(std::ceil(position * static_cast<double>(mid - 1))) + mid;
  return distance > 0 ? bucket : -bucket;
}

namespace {

int32_t row_of(int64_t distance, const Config& config) {
  const int64_t span = config.att_span();
  const int64_t bucket = config.position_buckets > 0
                             ? log_bucket_position(distance, config.position_buckets, config.max_relative_positions)
                             : distance;
  return static_cast<int32_t>(std::clamp<int64_t>(bucket + span, 0, 2 * span - 1));
}

}  // namespace

RelativePositionTable make_relative_positions(const Config& config) {
  RelativePositionTable table;
  table.num_rows = static_cast<int32_t>(2 * config.att_span());
  // Rows do not decrease with the distance, so once both ends of the table are reached they stay. Without buckets that
  // is at att_span; with them at max_relative_positions, give or take the rounding of a logarithm.
  int32_t reach = 0;
  while (row_of(reach, config) != table.num_rows - 1 || row_of(-reach, config) != 0) ++reach;
  table.max_distance = reach;
  table.rows.reserve(2 * static_cast<size_t>(reach) + 1);
  for (int32_t d = -reach; d <= reach; ++d) table.rows.push_back(row_of(d, config));
  return table;
}

}  // namespace deberta
