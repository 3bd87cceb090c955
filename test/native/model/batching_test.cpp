// Which sequences run together, and which of their rows a head gets.
#include "model/batching.h"

#include "doctest.h"

using namespace deberta;
using Ints = std::vector<int32_t>;

namespace {

std::vector<std::pair<int64_t, int64_t>> plan(const Ints& cu_seqlens, int64_t budget) {
  std::vector<std::pair<int64_t, int64_t>> result;
  for (const BatchRange& range : plan_batches(cu_seqlens, budget)) result.emplace_back(range.begin, range.end);
  return result;
}

SequenceInput sequence(Ints ids, Ints types = {}) { return {std::move(ids), std::move(types)}; }

}  // namespace

TEST_CASE("batches hold consecutive sequences up to the budget, longer ones alone") {
  using Plan = std::vector<std::pair<int64_t, int64_t>>;
  CHECK(plan({0}, 8).empty());
  CHECK(plan({0, 3, 5, 8}, 8) == Plan{{0, 3}});
  CHECK(plan({0, 3, 5, 9}, 8) == Plan{{0, 2}, {2, 3}});
  CHECK(plan({0, 100, 101, 201, 202}, 8) == Plan{{0, 1}, {1, 2}, {2, 3}, {3, 4}});
  CHECK(plan({0, 1, 2, 3}, 1) == Plan{{0, 1}, {1, 2}, {2, 3}});
  CHECK(plan({0, 2147483646, 2147483647}, INT64_MAX) == Plan{{0, 2}});
}

TEST_CASE("tokens of a batch lie side by side; what the model has no table for is left out") {
  const std::vector<SequenceInput> sequences = {sequence({9}), sequence({5, 6, 7}, {0, 1, 1}), sequence({8, 4})};
  CHECK(cumulative_lengths(sequences) == Ints{0, 1, 4, 6});
  Config config;
  config.position_biased_input = true;
  config.type_vocab_size = 2;
  const PackedBatch batch = pack_batch(sequences, {1, 3}, config, {});
  CHECK(batch.num_sequences == 2);
  CHECK(batch.total_tokens == 5);
  CHECK(batch.max_seqlen == 3);
  CHECK(batch.input_ids == Ints{5, 6, 7, 8, 4});
  CHECK(batch.position_ids == Ints{0, 1, 2, 0, 1});
  CHECK(batch.token_type_ids == Ints{0, 1, 1, 0, 0});
  CHECK(batch.cu_seqlens == Ints{0, 3, 5});
  CHECK(batch.selected.rows.empty());

  const PackedBatch bare = pack_batch(sequences, {0, 3}, Config(), {});
  CHECK(bare.position_ids.empty());
  CHECK(bare.token_type_ids.empty());
}

TEST_CASE("rows are selected once and in order, and the caller's order is remembered") {
  const std::vector<SequenceInput> sequences = {sequence({1, 1, 1}), sequence({1}), sequence({1, 1, 1, 1})};
  const PackedBatch batch = pack_batch(sequences, {0, 3}, Config(), {{2, 0, 2}, {}, {3, 1}});
  CHECK(batch.selected.rows == Ints{0, 2, 5, 7});
  CHECK(batch.selected.positions == Ints{0, 2, 1, 3});
  CHECK(batch.selected.cu_seqlens == Ints{0, 2, 2, 4});
  CHECK(batch.selected.order == Ints{1, 0, 1, 3, 2});
}
