// RelativeIndex tables for tests, by the formulas of the released code and apart from model/relative_position.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

namespace deberta::test {

struct IndexRows {
  std::vector<int32_t> rows;  // [2 * max_distance + 1]
  int32_t max_distance = 0;
  int32_t num_rows = 0;
};

inline IndexRows index_from(int32_t max_distance, int32_t num_rows, const std::function<int32_t(int32_t)>& row) {
  IndexRows index{{}, max_distance, num_rows};
  for (int32_t d = -max_distance; d <= max_distance; ++d) index.rows.push_back(std::clamp(row(d), 0, num_rows - 1));
  return index;
}

/// make_log_bucket_position of transformers: exact up to half of the buckets, logarithmic beyond, in double.
inline int32_t log_bucket(int32_t distance, int32_t buckets, int32_t max_position) {
  const int32_t mid = buckets / 2;
  const int32_t size = std::abs(distance);
  if (size <= mid) return distance;
  const double steps = std::log(static_cast<double>(size) / mid) / std::log((max_position - 1.0) / mid) * (mid - 1);
  const int32_t bucket = static_cast<int32_t>(std::ceil(steps)) + mid;
  return distance > 0 ? bucket : -bucket;
}

/// Versions 2 and 3: `buckets` rows to either side.
inline IndexRows log_buckets(int32_t buckets, int32_t max_position) {
  return index_from(max_position, 2 * buckets,
                    [=](int32_t d) { return log_bucket(d, buckets, max_position) + buckets; });
}

/// Version 1: a row per distance up to `span`.
inline IndexRows clamped(int32_t span) {
  return index_from(span, 2 * span, [=](int32_t d) { return d + span; });
}

inline IndexRows single_row() {
  return index_from(0, 1, [](int32_t) { return 0; });
}

/// Rows repeated 1, 2, 3, 1, 2, 3, ... times and one skipped after each three: legal, and like no formula.
inline IndexRows uneven_steps(int32_t max_distance) {
  static constexpr int32_t kSteps[6] = {0, 1, 1, 2, 2, 2};
  return index_from(max_distance, 2 * max_distance, [=](int32_t d) {
    const int32_t i = d + max_distance;
    return i / 6 * 4 + kSteps[i % 6];
  });
}

}  // namespace deberta::test
