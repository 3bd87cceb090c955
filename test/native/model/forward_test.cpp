// Requests: what is refused and how, which rows a masked LM predicts, shapes of results, cancelling.
#include <cmath>
#include <thread>

#include "doctest.h"
#include "model/config.h"
#include "model/support.h"

using namespace deberta;
using namespace deberta::test;

namespace {

/// The request fails with `code`, and the message has every one of `parts`.
void check_refused(Model& model, const ForwardRequest& request, ErrorCode code, const std::vector<std::string>& parts) {
  try {
    model.forward(request, CancelToken());
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK_MESSAGE(error.code() == code, error.what());
    for (const std::string& part : parts) {
      CHECK_MESSAGE(std::string(error.what()).find(part) != std::string::npos, error.what() << " lacks " << part);
    }
  }
}

ForwardRequest request_of(std::vector<SequenceInput> sequences) {
  ForwardRequest request;
  request.sequences = std::move(sequences);
  return request;
}

std::vector<float> row(const HostTensor& tensor, int64_t index) {
  const int64_t width = tensor.size() / tensor.dims[0];
  return {tensor.data.get() + index * width, tensor.data.get() + (index + 1) * width};
}

using Dims = std::vector<int64_t>;

}  // namespace

TEST_CASE("ids are checked before anything runs") {
  const auto model = load(fixture_directory("v1-types-ner"), "cpu");
  check_refused(*model, request_of({{{1, 2}, {}}, {{1, 5, 2100}, {}}}), ErrorCode::kINVALID_ARGUMENT,
                {"sequence 1", "index 2", "2100", "vocab_size"});
  check_refused(*model, request_of({{{-1}, {}}}), ErrorCode::kINVALID_ARGUMENT, {"sequence 0", "index 0", "-1"});
  check_refused(*model, request_of({{{1, 2}, {0, 2}}}), ErrorCode::kINVALID_ARGUMENT, {"index 1", "type_vocab_size"});
  check_refused(*model, request_of({{{1, 2}, {0}}}), ErrorCode::kINVALID_ARGUMENT, {"2 input ids", "1 token type"});
  check_refused(*model, request_of({{{1}, {}}, {{}, {}}}), ErrorCode::kINVALID_ARGUMENT, {"sequence 1", "empty"});
}

TEST_CASE("absent token types are zeros, and a model without types has no use for any") {
  const auto typed = load(fixture_directory("v1-types-ner"), "cpu");
  const ForwardResult zeros = typed->forward(request_of({{{1, 9, 2}, {0, 0, 0}}}), CancelToken());
  const ForwardResult absent = typed->forward(request_of({{{1, 9, 2}, {}}}), CancelToken());
  const ForwardResult ones = typed->forward(request_of({{{1, 9, 2}, {0, 1, 1}}}), CancelToken());
  CHECK(row(zeros.logits, 1) == row(absent.logits, 1));
  CHECK(row(zeros.logits, 1) != row(ones.logits, 1));
  const auto untyped = load(fixture_directory("v3-classifier"), "cpu");
  CHECK(row(untyped->forward(request_of({{{1, 9, 2}, {0, 1, 77}}}), CancelToken()).logits, 0) ==
        row(untyped->forward(request_of({{{1, 9, 2}, {}}}), CancelToken()).logits, 0));
}

TEST_CASE("absolute positions end with their table, relative ones do not") {
  const auto absolute = load(fixture_directory("v2-absolute"), "cpu");
  CHECK(absolute->forward(request_of(make_sequences({512}, 2100)), CancelToken()).logits.dims == Dims{1, 2});
  check_refused(*absolute, request_of(make_sequences({3, 513}, 2100)), ErrorCode::kSEQUENCE_TOO_LONG,
                {"sequence 1", "513", "512"});
  const auto relative = load(fixture_directory("v3-classifier"), "cpu");
  CHECK(relative->forward(request_of(make_sequences({1025}, 2100)), CancelToken()).logits.dims == Dims{1, 3});
}

TEST_CASE("the mask decoder ends with its position table, the plain decoder does not") {
  const auto model = load(fixture_directory("v3-mlm-emd"), "cpu");
  ForwardRequest request = request_of(make_sequences({600}, 2100));
  request.has_positions = true;
  request.positions = {{511}};
  CHECK(model->forward(request, CancelToken()).logits.dims == Dims{1, 2100});
  request.positions = {{5, 512}};
  check_refused(*model, request, ErrorCode::kSEQUENCE_TOO_LONG, {"sequence 0", "512"});
  request.decoder = Decoder::kPlain;
  CHECK(model->forward(request, CancelToken()).logits.dims == Dims{2, 2100});
}

TEST_CASE("outputs that a head lacks") {
  const auto encoder = load(fixture_directory("v2-unshared-c2p"), "cpu");
  check_refused(*encoder, request_of(make_sequences({4}, 2100)), ErrorCode::kINVALID_ARGUMENT, {"no head", "encoder"});

  const auto classifier = load(fixture_directory("v3-classifier"), "cpu");
  ForwardRequest request = request_of(make_sequences({4}, 2100));
  request.has_positions = true;
  request.positions = {{0}};
  check_refused(*classifier, request, ErrorCode::kINVALID_ARGUMENT, {"positions", "sequence-classification"});
  request = request_of(make_sequences({4}, 2100));
  request.choices = 1;
  check_refused(*classifier, request, ErrorCode::kINVALID_ARGUMENT, {"choices", "sequence-classification"});
  request.choices = 0;
  request.decoder = Decoder::kEmd;
  check_refused(*classifier, request, ErrorCode::kUNSUPPORTED_CONFIG, {"mask decoder", "sequence-classification"});
}

TEST_CASE("choices must divide the sequences") {
  const auto model = load(fixture_directory("v3-multiple-choice"), "cpu");
  ForwardRequest request = request_of(make_sequences({4, 9, 2, 7, 1, 3}, 2100));
  for (const int64_t choices : {0, 4, -1, 7}) {
    request.choices = choices;
    check_refused(*model, request, ErrorCode::kINVALID_ARGUMENT, {"choices", std::to_string(choices)});
  }
  request.choices = 3;
  const ForwardResult result = model->forward(request, CancelToken());
  CHECK(result.logits.dims == Dims{2, 3});
  request.choices = 2;
  CHECK(model->forward(request, CancelToken()).logits.dims == Dims{3, 2});
}

TEST_CASE("the mask decoder cannot be forced, and the error says why") {
  ForwardRequest request = request_of(make_sequences({4}, 2100));
  request.has_positions = true;
  request.positions = {{1}};
  request.decoder = Decoder::kEmd;
  check_refused(*load(fixture_directory("v3-mlm-legacy"), "cpu"), request, ErrorCode::kUNSUPPORTED_CONFIG,
                {"position_embeddings"});

  EditableCheckpoint biased(fixture_directory("v3-mlm-emd"));
  biased.edit_config("\"position_biased_input\": false", "\"position_biased_input\": true");
  const auto model = load(biased.write(), "cpu");
  CHECK_FALSE(model->info().has_emd);
  check_refused(*model, request, ErrorCode::kUNSUPPORTED_CONFIG, {"position_biased_input"});
  request.decoder = Decoder::kAuto;
  CHECK(model->forward(request, CancelToken()).logits.dims == Dims{1, 2100});
}

TEST_CASE("a masked LM predicts its mask tokens, or the positions it is given, in any order and more than once") {
  constexpr int32_t kMask = 6;
  const auto model = load(fixture_directory("v3-mlm-emd"), "cpu", kMask);
  std::vector<SequenceInput> sequences = make_sequences({9, 4, 17}, 2100);
  for (SequenceInput& sequence : sequences) {
    for (int32_t& id : sequence.input_ids) id = id == kMask ? kMask + 1 : id;
  }
  sequences[0].input_ids[3] = sequences[0].input_ids[8] = sequences[2].input_ids[0] = kMask;
  const ForwardResult masks = model->forward(request_of(sequences), CancelToken());
  CHECK(masks.positions_cu == std::vector<int32_t>{0, 2, 2, 3});
  CHECK(masks.logits.dims == Dims{3, 2100});

  ForwardRequest request = request_of(sequences);
  request.has_positions = true;
  request.positions = {{8, 3, 8}, {}, {0}};
  const ForwardResult given = model->forward(request, CancelToken());
  CHECK(given.positions_cu == std::vector<int32_t>{0, 3, 3, 4});
  CHECK(row(given.logits, 0) == row(masks.logits, 1));
  CHECK(row(given.logits, 1) == row(masks.logits, 0));
  CHECK(row(given.logits, 2) == row(masks.logits, 1));
  CHECK(row(given.logits, 3) == row(masks.logits, 2));

  request.positions = {{}, {}, {}};
  const ForwardResult none = model->forward(request, CancelToken());
  CHECK(none.logits.dims == Dims{0, 2100});
  CHECK(none.positions_cu == std::vector<int32_t>{0, 0, 0, 0});
  request.positions = {{9}, {}, {}};
  check_refused(*model, request, ErrorCode::kINVALID_ARGUMENT, {"sequence 0", "position 9"});
  request.positions = {{1}, {}};
  check_refused(*model, request, ErrorCode::kINVALID_ARGUMENT, {"3 sequences", "found 2"});

  const auto without_mask_token = load(fixture_directory("v3-mlm-emd"), "cpu");
  check_refused(*without_mask_token, request_of(sequences), ErrorCode::kINVALID_ARGUMENT, {"mask token"});
}

TEST_CASE("batches in which nobody looks at anything are left out, the others are not") {
  constexpr int32_t kMask = 6;
  const auto whole = load(fixture_directory("v3-mlm-emd"), "cpu", kMask);
  const auto narrow = load(fixture_directory("v3-mlm-emd"), "cpu", kMask, "", 4);
  const std::vector<SequenceInput> sequences = {{{1, 9, 2}, {}}, {{1, kMask, 2}, {}}, {{1, 8, 2}, {}}, {{kMask}, {}}};
  ForwardRequest request = request_of(sequences);
  for (const bool states : {false, true}) {
    request.last_hidden_state = states;
    const ForwardResult a = whole->forward(request, CancelToken());
    const ForwardResult b = narrow->forward(request, CancelToken());
    CHECK(a.positions_cu == std::vector<int32_t>{0, 0, 1, 1, 2});
    CHECK(row(a.logits, 0) == row(b.logits, 0));
    CHECK(row(a.logits, 1) == row(b.logits, 1));
    if (states) CHECK(row(a.last_hidden_state, 7) == row(b.last_hidden_state, 7));
  }
}

TEST_CASE("an empty request gives empty tensors") {
  ForwardRequest request = request_of({});
  request.last_hidden_state = request.hidden_states = request.attentions = true;
  const ForwardResult result = load(fixture_directory("v3-classifier"), "cpu")->forward(request, CancelToken());
  CHECK(result.cu_seqlens == std::vector<int32_t>{0});
  CHECK(result.logits.dims == Dims{0, 3});
  CHECK(result.last_hidden_state.dims == Dims{0, 128});
  CHECK(result.hidden_states.size() == 3);
  CHECK(result.attentions.size() == 2);
}

TEST_CASE("only what was asked for is there, and its shapes are those promised") {
  const auto model = load(fixture_directory("v3-classifier"), "cpu");
  ForwardRequest request = request_of(make_sequences({2, 5}, 2100));
  ForwardResult result = model->forward(request, CancelToken());
  CHECK(result.logits.dims == Dims{2, 3});
  CHECK_FALSE(result.last_hidden_state.data);
  CHECK(result.hidden_states.empty());
  CHECK(result.attentions.empty());
  request.logits = false;
  request.last_hidden_state = request.hidden_states = request.attentions = true;
  result = model->forward(request, CancelToken());
  CHECK_FALSE(result.logits.data);
  CHECK(result.last_hidden_state.dims == Dims{7, 128});
  REQUIRE(result.hidden_states.size() == 3);
  CHECK(row(result.hidden_states[2], 6) == row(result.last_hidden_state, 6));
  REQUIRE(result.attentions.size() == 2);
  REQUIRE(result.attentions[1].size() == 2);
  CHECK(result.attentions[1][1].dims == Dims{2, 5, 5});
  for (int64_t i = 0; i < 10; ++i) {  // rows of a map sum to one
    float sum = 0;
    for (int64_t j = 0; j < 5; ++j) sum += result.attentions[1][1].data[i * 5 + j];
    CHECK(sum == doctest::Approx(1.0f));
  }
}

TEST_CASE("one layer with a convolution: the head's rows come after it") {
  EditableCheckpoint checkpoint(fixture_directory("v2-conv-mlm-emd"));
  checkpoint.edit_config("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
  std::erase_if(checkpoint.tensors,
                [](const auto& item) { return item.first.starts_with("deberta.encoder.layer.1."); });
  const auto model = load(checkpoint.write(), "reference");
  CHECK_FALSE(model->info().has_emd);  // it works on the input of the last of two layers or more
  ForwardRequest request = request_of(make_sequences({17, 3}, 2100));
  request.has_positions = true;
  request.positions = {{16, 2}, {1}};
  const ForwardResult alone = model->forward(request, CancelToken());
  request.last_hidden_state = true;
  const ForwardResult result = model->forward(request, CancelToken());
  for (int64_t i = 0; i < 3; ++i) CHECK(row(alone.logits, i) == row(result.logits, i));

  // The head by hand, in double, from the state of the first wanted row: that state has the convolution in it.
  const std::vector<float> state = row(result.last_hidden_state, 16);
  const auto dense = checkpoint.values("lm_predictions.lm_head.dense.weight");
  const auto dense_bias = checkpoint.values("lm_predictions.lm_head.dense.bias");
  const auto norm = checkpoint.values("lm_predictions.lm_head.LayerNorm.weight");
  const auto norm_bias = checkpoint.values("lm_predictions.lm_head.LayerNorm.bias");
  const auto words = checkpoint.values("deberta.embeddings.word_embeddings.weight");
  const auto bias = checkpoint.values("lm_predictions.lm_head.bias");
  std::vector<double> hidden(96);
  double mean = 0;
  double variance = 0;
  for (size_t o = 0; o < 96; ++o) {
    double sum = dense_bias[o];
    for (size_t i = 0; i < 96; ++i) sum += static_cast<double>(dense[o * 96 + i]) * state[i];
    hidden[o] = activate(Activation::kGelu, sum);
    mean += hidden[o] / 96;
  }
  for (const double value : hidden) variance += (value - mean) * (value - mean) / 96;
  for (size_t token = 0; token < 2100; token += 99) {
    double logit = bias[token];
    for (size_t i = 0; i < 96; ++i) {
      logit += (norm[i] * (hidden[i] - mean) / std::sqrt(variance + 1e-7) + norm_bias[i]) * words[token * 96 + i];
    }
    CHECK(result.logits.data[token] == doctest::Approx(logit).epsilon(1e-5));
  }
}

TEST_CASE("talking heads under a head that looks at few rows") {
  EditableCheckpoint checkpoint(fixture_directory("v1-talking-heads"));
  checkpoint.edit_config("DebertaModel", "DebertaForSequenceClassification");
  checkpoint.add("pooler.dense.weight", {48, 48});
  checkpoint.add("pooler.dense.bias", {48});
  checkpoint.add("classifier.weight", {2, 48}, 0.5f);
  checkpoint.add("classifier.bias", {2});
  checkpoint.write();
  ForwardRequest request = request_of(make_sequences({17, 1, 113}, 2100));
  const ForwardResult expected = load(checkpoint.write(), "reference")->forward(request, CancelToken());
  const ForwardResult result = load(checkpoint.write(), "cpu")->forward(request, CancelToken());
  for (int64_t i = 0; i < 6; ++i) CHECK(std::abs(result.logits.data[i] - expected.logits.data[i]) < 5e-6);
}

TEST_CASE("cancelling stops a forward pass, and the next one is whole again") {
  const auto model = load(fixture_directory("v3-long"), "reference");
  ForwardRequest request = request_of(make_sequences({700}, 2100));
  request.logits = false;
  request.last_hidden_state = true;
  CancelToken cancelled;
  cancelled.cancel();
  CHECK_THROWS_WITH_AS(model->forward(request, cancelled), doctest::Contains("aborted"), Error);

  CancelToken later;
  std::thread thread([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    later.cancel();
  });
  CHECK_THROWS_AS(model->forward(request, later), Error);
  thread.join();

  request.sequences = make_sequences({3}, 2100);
  const auto fresh = load(fixture_directory("v3-long"), "reference");
  CHECK(row(model->forward(request, CancelToken()).last_hidden_state, 2) ==
        row(fresh->forward(request, CancelToken()).last_hidden_state, 2));

  CHECK_THROWS_AS(load("", "reference"), Error);
}

TEST_CASE("options are checked") { CHECK_THROWS_AS(load(fixture_directory("v3-classifier"), "cpu", -1, "", 0), Error); }
