// A sequence's results are the same bits alone, among others, in any order and in any split into batches; and logits
// are the same bits whether or not the last layer runs for every token.
#include <algorithm>
#include <numeric>

#include "doctest.h"
#include "model/config.h"
#include "model/support.h"

using namespace deberta;
using namespace deberta::test;

namespace {

/// Everything that one sequence got.
struct SequenceResult {
  std::vector<float> logits;
  std::vector<std::vector<float>> hidden_states;
  std::vector<std::vector<float>> attentions;
  std::vector<float> last_hidden_state;

  bool operator==(const SequenceResult&) const = default;
};

std::vector<float> slice(const HostTensor& tensor, int64_t begin, int64_t end) {
  return {tensor.data.get() + begin, tensor.data.get() + end};
}

/// Floats of the logits that belong to sequence `s`.
std::vector<float> logits_of(const ForwardResult& result, size_t s) {
  if (!result.logits.data) return {};
  const auto sequences = static_cast<int64_t>(result.cu_seqlens.size()) - 1;
  const int64_t tokens = result.cu_seqlens.back();
  const int64_t size = result.logits.size();
  const std::vector<int64_t>& dims = result.logits.dims;
  if (!result.positions_cu.empty()) {
    return slice(result.logits, result.positions_cu[s] * dims[1], result.positions_cu[s + 1] * dims[1]);
  }
  if (dims[0] == tokens && tokens != sequences) {
    return slice(result.logits, result.cu_seqlens[s] * (size / tokens), result.cu_seqlens[s + 1] * (size / tokens));
  }
  return slice(result.logits, static_cast<int64_t>(s) * (size / sequences),
               (static_cast<int64_t>(s) + 1) * (size / sequences));
}

ForwardRequest request_for(const Model& model, std::vector<SequenceInput> sequences, bool everything) {
  ForwardRequest request;
  request.sequences = std::move(sequences);
  const std::string& task = model.info().task;
  request.logits = task != "encoder";
  request.hidden_states = request.attentions = request.last_hidden_state = everything;
  request.last_hidden_state |= task == "encoder";
  request.choices = task == "multiple-choice" ? 1 : 0;
  return request;
}

std::vector<SequenceResult> split_result(const ForwardResult& result) {
  std::vector<SequenceResult> split(result.cu_seqlens.size() - 1);
  for (size_t s = 0; s < split.size(); ++s) {
    const auto rows = [&](const HostTensor& tensor) {
      if (!tensor.data) return std::vector<float>();
      return slice(tensor, result.cu_seqlens[s] * tensor.dims[1], result.cu_seqlens[s + 1] * tensor.dims[1]);
    };
    split[s].logits = logits_of(result, s);
    split[s].last_hidden_state = rows(result.last_hidden_state);
    for (const HostTensor& states : result.hidden_states) split[s].hidden_states.push_back(rows(states));
    for (const auto& layer : result.attentions) {
      split[s].attentions.push_back(slice(layer[s], 0, layer[s].size()));
    }
  }
  return split;
}

std::vector<SequenceResult> run(Model& model, const std::vector<SequenceInput>& sequences, bool everything = true) {
  return split_result(model.forward(request_for(model, sequences, everything), CancelToken()));
}

void check_model(const std::string& name, const std::string& backend, const std::vector<int>& lengths) {
  CAPTURE(name);
  CAPTURE(backend);
  constexpr int32_t kMask = 7;
  const auto model = load(fixture_directory(name), backend, kMask);
  const auto types = static_cast<int32_t>(model->config().type_vocab_size);
  std::vector<SequenceInput> sequences = make_sequences(lengths, 2100, types);
  for (size_t s = 0; s + 1 < sequences.size(); ++s) {  // the last one has no mask
    sequences[s].input_ids[s % sequences[s].input_ids.size()] = kMask;
    sequences[s].input_ids.back() = kMask;
  }
  const std::vector<SequenceResult> together = run(*model, sequences);
  for (size_t s = 0; s < sequences.size(); ++s) {
    CAPTURE(s);
    CHECK(run(*model, {sequences[s]})[0] == together[s]);
  }

  std::vector<size_t> order(sequences.size());
  std::iota(order.begin(), order.end(), 0);
  std::reverse(order.begin(), order.end());
  std::swap(order.front(), order[order.size() / 2]);
  std::vector<SequenceInput> shuffled;
  for (const size_t s : order) shuffled.push_back(sequences[s]);
  const std::vector<SequenceResult> shuffled_results = run(*model, shuffled);
  for (size_t i = 0; i < order.size(); ++i) CHECK(shuffled_results[i] == together[order[i]]);

  const auto narrow = load(fixture_directory(name), backend, kMask, "", 50);
  CHECK(run(*narrow, sequences) == together);

  const std::vector<SequenceResult> logits_only = run(*model, sequences, false);
  for (size_t s = 0; s < sequences.size(); ++s) CHECK(logits_only[s].logits == together[s].logits);
}

}  // namespace

TEST_CASE("sequences alone, together, shuffled and in other batches give the same bits") {
  for (const std::string& backend : backend_names()) {
    for (const std::string& name : fixture_names()) check_model(name, backend, {1, 2, 17, 113, 3, 40});
  }
  check_model("v3-long", "cpu", {513, 1, 700, 17});
}
