// The best tokens of logits, and pooled hidden states.
#include "addon/reduce.h"

#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "doctest.h"

using namespace deberta;
using namespace deberta::addon;

namespace {

HostTensor tensor(std::vector<int64_t> dims, const std::vector<float>& values) {
  HostTensor made;
  made.dims = std::move(dims);
  made.data = std::make_unique<float[]>(values.size());
  std::copy(values.begin(), values.end(), made.data.get());
  return made;
}

}  // namespace

TEST_CASE("the best tokens come first, equal ones by id, with the softmax of the whole row") {
  const CancelToken cancel;
  const TopTokens top = top_tokens(tensor({2, 4}, {1, 3, 3, 0, -1, -2, -3, 5}), 2, cancel);
  CHECK(top.rows == 2);
  CHECK(top.k == 2);
  CHECK(top.ids == std::vector<int32_t>{1, 2, 3, 0});
  const double sum = std::exp(1.0) + 2 * std::exp(3.0) + 1;
  CHECK(top.scores[0] == doctest::Approx(std::exp(3.0) / sum).epsilon(1e-12));
  CHECK(top.scores[1] == top.scores[0]);
}

TEST_CASE("k is at most the vocabulary, and all scores add up to one, whatever the size of the logits") {
  const CancelToken cancel;
  const TopTokens top = top_tokens(tensor({1, 5}, {1000, 999, -1000, 0, 998}), 99, cancel);
  CHECK(top.k == 5);
  CHECK(top.ids == std::vector<int32_t>{0, 1, 4, 3, 2});
  CHECK(std::accumulate(top.scores.begin(), top.scores.end(), 0.0) == doctest::Approx(1).epsilon(1e-12));
}

TEST_CASE("logits that are no numbers end in some order, not in a crash") {
  const CancelToken cancel;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const TopTokens top = top_tokens(tensor({1, 6}, {nan, 1, nan, 2, nan, 3}), 3, cancel);
  for (const int32_t id : top.ids) CHECK((id >= 0 && id < 6));
}

TEST_CASE("no rows give no tokens; a cancelled search throws") {
  CancelToken cancel;
  CHECK(top_tokens(tensor({0, 4}, {}), 2, cancel).ids.empty());
  cancel.cancel();
  CHECK_THROWS_AS(top_tokens(tensor({1, 2}, {1, 2}), 1, cancel), Error);
}

TEST_CASE("pooling takes the first row, the mean, or every row of each sequence") {
  const CancelToken cancel;
  const std::vector<float> hidden = {1, 2, 3, 4, 5, 9, 7, 7};
  const std::vector<int32_t> cu_seqlens = {0, 3, 4};
  const HostTensor cls = pool(tensor({4, 2}, hidden), cu_seqlens, Pooling::kCls, false, cancel);
  CHECK(cls.dims == std::vector<int64_t>{2, 2});
  CHECK(cls.data[0] == 1);
  CHECK(cls.data[3] == 7);
  const HostTensor mean = pool(tensor({4, 2}, hidden), cu_seqlens, Pooling::kMean, false, cancel);
  CHECK(mean.data[0] == 3);
  CHECK(mean.data[1] == 5);
  CHECK(mean.data[2] == 7);
  const HostTensor none = pool(tensor({4, 2}, hidden), cu_seqlens, Pooling::kNone, false, cancel);
  CHECK(none.dims == std::vector<int64_t>{4, 2});
  CHECK(none.data[5] == 9);
}

TEST_CASE("normalized rows have length one; a zero row stays zero") {
  const CancelToken cancel;
  const HostTensor unit = pool(tensor({2, 2}, {3, 4, 0, 0}), {0, 1, 2}, Pooling::kMean, true, cancel);
  CHECK(unit.data[0] == doctest::Approx(0.6));
  CHECK(unit.data[1] == doctest::Approx(0.8));
  CHECK(unit.data[2] == 0);
  CHECK(unit.data[3] == 0);
}
