// The discriminator's head of DeBERTa-v3 against its formula in double. No fixture carries one, so that the test puts
// microsoft's tensors on an encoder that does.
#include <cmath>

#include "doctest.h"
#include "model/support.h"
#include "ops/activation.h"

using namespace deberta;
using namespace deberta::test;

namespace {

constexpr int64_t kHidden = 128;

/// A head on v3-classifier's encoder, as microsoft's file has it: no architectures, and a masked-LM head besides.
void add_head(EditableCheckpoint& checkpoint) {
  std::erase_if(checkpoint.tensors, [](const auto& item) {
    return item.first.starts_with("classifier.") || item.first.starts_with("pooler.");
  });
  checkpoint.edit_config("\"architectures\"", "\"was_architectures\"");
  checkpoint.add("mask_predictions.dense.weight", {kHidden, kHidden});
  checkpoint.add("mask_predictions.dense.bias", {kHidden});
  checkpoint.add("mask_predictions.LayerNorm.weight", {kHidden}, 0.2f, 1.0f);
  checkpoint.add("mask_predictions.LayerNorm.bias", {kHidden});
  checkpoint.add("mask_predictions.classifier.weight", {1, kHidden}, 0.5f);
  checkpoint.add("mask_predictions.classifier.bias", {1});
  checkpoint.add("lm_predictions.lm_head.dense.weight", {kHidden, kHidden});
  checkpoint.add("deberta.embeddings.position_embeddings.weight", {512, kHidden});
}

/// classifier(gelu(dense(LayerNorm(first + token))))
double expected_logit(const EditableCheckpoint& checkpoint, const float* first, const float* token) {
  const auto weight = [&](const char* name) { return checkpoint.values(std::string("mask_predictions.") + name); };
  const auto dense = weight("dense.weight");
  const auto dense_bias = weight("dense.bias");
  const auto norm = weight("LayerNorm.weight");
  const auto norm_bias = weight("LayerNorm.bias");
  const auto classifier = weight("classifier.weight");
  std::vector<double> state(kHidden);
  double mean = 0;
  double variance = 0;
  for (int64_t i = 0; i < kHidden; ++i) {
    state[i] = static_cast<double>(first[i]) + token[i];
    mean += state[i] / kHidden;
  }
  for (const double value : state) variance += (value - mean) * (value - mean) / kHidden;
  for (int64_t i = 0; i < kHidden; ++i) {
    state[i] = norm[i] * (state[i] - mean) / std::sqrt(variance + 1e-7) + norm_bias[i];
  }
  double logit = weight("classifier.bias")[0];
  for (int64_t o = 0; o < kHidden; ++o) {
    double sum = dense_bias[o];
    for (int64_t i = 0; i < kHidden; ++i) sum += static_cast<double>(dense[o * kHidden + i]) * state[i];
    logit += classifier[o] * activate(Activation::kGelu, sum);
  }
  return logit;
}

}  // namespace

TEST_CASE("replaced-token detection follows its formula") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  add_head(checkpoint);
  checkpoint.write();
  for (const std::string& backend : backend_names()) {
    CAPTURE(backend);
    const auto model = load(checkpoint.write(), backend, -1, "", 20);
    CHECK(model->info().task == "replaced-token-detection");
    CHECK_FALSE(model->info().has_emd);
    ForwardRequest request;
    request.sequences = make_sequences({17, 1, 5}, 2100);
    request.last_hidden_state = true;
    const ForwardResult result = model->forward(request, CancelToken());
    REQUIRE(result.logits.dims == std::vector<int64_t>{23});
    for (size_t s = 0; s < 3; ++s) {
      const float* first = result.last_hidden_state.data.get() + result.cu_seqlens[s] * kHidden;
      for (int32_t i = result.cu_seqlens[s]; i < result.cu_seqlens[s + 1]; ++i) {
        const double expected = expected_logit(checkpoint, first, result.last_hidden_state.data.get() + i * kHidden);
        CHECK(std::abs(result.logits.data[i] - expected) < 2e-5);
      }
    }
  }
}
