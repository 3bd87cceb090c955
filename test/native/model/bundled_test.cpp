// The bundled models against their float64 goldens: real weights in float16, the mask decoder on real text.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "doctest.h"
#include "io/json_reader.h"
#include "model/support.h"

using namespace deberta;
using namespace deberta::test;

namespace {

std::vector<int32_t> ids_of(const JsonDocument& document, const JsonObject& entry) {
  std::vector<int32_t> ids;
  for (const JsonValue& id : document.array_at(entry, "input_ids"))
    ids.push_back(static_cast<int32_t>(*id.as_integer()));
  return ids;
}

std::vector<double> softmax(const float* logits, int64_t size) {
  const double largest = *std::max_element(logits, logits + size);
  std::vector<double> scores;
  for (int64_t i = 0; i < size; ++i) scores.push_back(std::exp(logits[i] - largest));
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  for (double& score : scores) score /= sum;
  return scores;
}

}  // namespace

TEST_CASE("deberta-mini-en fills masks as its golden says, through the mask decoder") {
  const JsonDocument golden = read_json_file(bundled_directory("deberta-mini-en") + "/golden/fill_mask.json");
  const JsonArray& entries = golden.expect_array(golden.root(), "root");
  REQUIRE(entries.size() >= 5);
  for (const std::string& backend : backend_names()) {
    const auto model = load(bundled_directory("deberta-mini-en"), backend, 8000);
    CHECK(model->info().has_emd);
    ForwardRequest request;
    for (const JsonValue& entry : entries) {
      request.sequences.push_back({ids_of(golden, golden.expect_object(entry, "entry")), {}});
    }
    const ForwardResult result = model->forward(request, CancelToken());
    REQUIRE(result.positions_cu.size() == entries.size() + 1);
    for (size_t s = 0; s < entries.size(); ++s) {
      CAPTURE(s);
      REQUIRE(result.positions_cu[s + 1] - result.positions_cu[s] == 1);
      const int64_t vocab_size = result.logits.dims[1];
      const float* logits = result.logits.data.get() + result.positions_cu[s] * vocab_size;
      const std::vector<double> scores = softmax(logits, vocab_size);
      std::vector<int64_t> ranking(scores.size());
      std::iota(ranking.begin(), ranking.end(), 0);
      std::partial_sort(ranking.begin(), ranking.begin() + 5, ranking.end(),
                        [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
      const JsonArray& top = golden.array_at(*entries[s].as_object(), "top");
      REQUIRE(top.size() == 5);
      for (size_t rank = 0; rank < top.size(); ++rank) {
        const JsonObject& best = golden.expect_object(top[rank], "top");
        CHECK(ranking[rank] == golden.integer_at(best, "id"));
        CHECK(scores[ranking[rank]] == doctest::Approx(golden.number_at(best, "score")).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("deberta-mini-en-sentiment classifies as its golden says") {
  const JsonDocument golden = read_json_file(bundled_directory("deberta-mini-en-sentiment") + "/golden/classify.json");
  const JsonArray& entries = golden.expect_array(golden.root(), "root");
  REQUIRE(entries.size() >= 5);
  for (const std::string& backend : backend_names()) {
    const auto model = load(bundled_directory("deberta-mini-en-sentiment"), backend);
    ForwardRequest request;
    for (const JsonValue& entry : entries) {
      request.sequences.push_back({ids_of(golden, golden.expect_object(entry, "entry")), {}});
    }
    const ForwardResult result = model->forward(request, CancelToken());
    REQUIRE(result.logits.dims == std::vector<int64_t>{static_cast<int64_t>(entries.size()), 2});
    for (size_t s = 0; s < entries.size(); ++s) {
      const JsonArray& expected = golden.array_at(*entries[s].as_object(), "logits");
      for (int64_t i = 0; i < 2; ++i) {
        CHECK(std::abs(result.logits.data[2 * s + i] - *expected[i].as_number()) < 1e-5);
      }
    }
  }
}
