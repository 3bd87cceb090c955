// The bucket of every distance against transformers' table, and where the rows become constant.
#include "model/relative_position.h"

#include <algorithm>

#include "doctest.h"
#include "io/json_reader.h"

using deberta::Config;
using deberta::log_bucket_position;
using deberta::make_relative_positions;
using deberta::RelativePositionTable;

namespace {

Config with_span(int64_t max_relative_positions, int64_t position_buckets) {
  Config config;
  config.relative_attention = true;
  config.max_relative_positions = max_relative_positions;
  config.position_buckets = position_buckets;
  return config;
}

/// As kernels look rows up: distances beyond the table take its ends.
int32_t row(const RelativePositionTable& table, int64_t distance) {
  return table.rows[std::clamp<int64_t>(distance, -table.max_distance, table.max_distance) + table.max_distance];
}

}  // namespace

TEST_CASE("every bucket of 256 over 512 equals transformers'") {
  const auto document = deberta::read_json_file(DEBERTA_TEST_FIXTURES "/log_bucket_256_512.json");
  const auto& root = document.root_object();
  const auto& distances = document.array_at(root, "rel");
  const auto& buckets = document.array_at(root, "bucket_pos");
  REQUIRE(distances.size() == buckets.size());
  REQUIRE(distances.size() >= 1024);
  for (size_t i = 0; i < distances.size(); ++i) {
    CAPTURE(*distances[i].as_integer());
    CHECK(log_bucket_position(*distances[i].as_integer(), 256, 512) == *buckets[i].as_integer());
  }
}

TEST_CASE("buckets beyond the maximum grow, as transformers' do") {
  CHECK(log_bucket_position(511, 256, 512) == 255);
  CHECK(log_bucket_position(-511, 256, 512) == -255);
  CHECK(log_bucket_position(512, 256, 512) == 256);
  CHECK(log_bucket_position(-512, 256, 512) == -256);
  CHECK(log_bucket_position(600, 256, 512) == 270);
}

TEST_CASE("the table of 256 buckets ends where both outermost rows are reached") {
  const RelativePositionTable table = make_relative_positions(with_span(512, 256));
  CHECK(table.num_rows == 512);
  CHECK(table.max_distance == 512);
  CHECK(row(table, 0) == 256);
  CHECK(row(table, 128) == 384);
  CHECK(row(table, 511) == 511);
  CHECK(row(table, -511) == 1);
  CHECK(row(table, -512) == 0);
  CHECK(row(table, -100000) == 0);
  CHECK(row(table, 100000) == 511);
}

TEST_CASE("without buckets distances are clamped") {
  const RelativePositionTable table = make_relative_positions(with_span(20, 0));
  CHECK(table.num_rows == 40);
  CHECK(table.max_distance == 20);
  for (int d = -40; d <= 40; ++d) CHECK(row(table, d) == std::clamp(d + 20, 0, 39));
  const RelativePositionTable one = make_relative_positions(with_span(1, 0));
  CHECK(row(one, -1) == 0);
  CHECK(row(one, 0) == 1);
  CHECK(row(one, 1) == 1);
}

TEST_CASE("every table is complete: monotone, in range, and equal to the formula far beyond its end") {
  const std::pair<int64_t, int64_t> spans[] = {{512, 256}, {128, 32},  {512, 64}, {512, 128}, {1024, 256},
                                               {16, 8},    {2048, 48}, {8, 4},    {6, 8},     {1 << 20, 4}};
  for (const auto& [max_position, buckets] : spans) {
    CAPTURE(max_position);
    CAPTURE(buckets);
    const RelativePositionTable table = make_relative_positions(with_span(max_position, buckets));
    CHECK(std::is_sorted(table.rows.begin(), table.rows.end()));
    CHECK(table.rows.size() == 2 * static_cast<size_t>(table.max_distance) + 1);
    CHECK(table.max_distance <= max_position + 1);
    for (int64_t d = -3 * max_position; d <= 3 * max_position; d += std::max<int64_t>(1, max_position / 1000)) {
      const int64_t expected =
          std::clamp<int64_t>(log_bucket_position(d, buckets, max_position) + buckets, 0, 2 * buckets - 1);
      if (row(table, d) != expected) CHECK_MESSAGE(row(table, d) == expected, "distance " << d);
    }
  }
}
