// Checkpoints as other savers name them give the same bits; broken ones give the error that names the tensor.
#include "model/weights.h"

#include <algorithm>
#include <cstring>

#include "base/half.h"
#include "doctest.h"
#include "model/support.h"

using namespace deberta;
using namespace deberta::test;

namespace {

/// The last hidden state and, where there is a head, logits: enough to see whether every weight found its place.
std::vector<float> outputs(Model& model) {
  ForwardRequest request;
  request.sequences = make_sequences({5, 17, 1}, 2100, static_cast<int32_t>(2));
  request.last_hidden_state = true;
  request.logits = model.info().task != "encoder";
  if (model.info().task == "masked-lm") {
    request.has_positions = true;
    request.positions = {{0}, {3, 16}, {0}};
  }
  const ForwardResult result = model.forward(request, CancelToken());
  std::vector<float> values(result.last_hidden_state.data.get(),
                            result.last_hidden_state.data.get() + result.last_hidden_state.size());
  values.insert(values.end(), result.logits.data.get(), result.logits.data.get() + result.logits.size());
  return values;
}

std::vector<float> outputs(const std::string& directory, const std::string& task = "") {
  return outputs(*load(directory, "reference", -1, task));
}

/// Loading fails with `code`, and the message has every one of `parts`.
void check_refused(EditableCheckpoint& checkpoint, ErrorCode code, const std::vector<std::string>& parts) {
  try {
    load(checkpoint.write(), "reference");
    FAIL("loaded");
  } catch (const Error& error) {
    CHECK_MESSAGE(error.code() == code, error.what());
    for (const std::string& part : parts) {
      CHECK_MESSAGE(std::string(error.what()).find(part) != std::string::npos, error.what() << " lacks " << part);
    }
  }
}

bool ignores(const Model& model, const std::string& name) {
  const std::vector<std::string>& ignored = model.info().ignored_tensors;
  return std::find(ignored.begin(), ignored.end(), name) != ignored.end();
}

const std::string kQuery = "deberta.encoder.layer.1.attention.self.query_proj.weight";

}  // namespace

TEST_CASE("every prefix of the encoder is found") {
  const std::vector<float> expected = outputs(fixture_directory("v3-classifier"));
  for (const char* prefix : {"", "model.", "bert_layer.model.", "token_rep_layer.bert_layer.model.", "backbone."}) {
    CAPTURE(prefix);
    EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
    checkpoint.rename_prefix("deberta.", prefix);
    CHECK(outputs(checkpoint.write()) == expected);
  }
  EditableCheckpoint wrapped(fixture_directory("v3-classifier"));
  wrapped.rename_prefix("", "module.");  // deberta and the head together
  CHECK(outputs(wrapped.write()) == expected);
}

TEST_CASE("two encoders, or none") {
  EditableCheckpoint two(fixture_directory("v3-classifier"));
  two.add("generator.embeddings.word_embeddings.weight", {2100, 128});
  check_refused(two, ErrorCode::kWEIGHT_UNEXPECTED, {"deberta.", "generator."});
  EditableCheckpoint none(fixture_directory("v3-classifier"));
  none.rename_prefix("deberta.embeddings.word", "deberta.embeddings.wrd");
  check_refused(none, ErrorCode::kWEIGHT_MISSING,
                {"embeddings.word_embeddings.weight", "deberta.", "bert_layer.model."});
}

TEST_CASE("gamma and beta are LayerNorm's old names") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : checkpoint.tensors) names.push_back(name);
  int renamed = 0;
  for (const std::string& name : names) {
    const size_t dot = name.rfind('.');
    if (!name.substr(0, dot).ends_with("LayerNorm")) continue;
    checkpoint.rename(name, name.substr(0, dot) + (name.ends_with("weight") ? ".gamma" : ".beta"));
    ++renamed;
  }
  CHECK(renamed > 8);
  CHECK(outputs(checkpoint.write()) == outputs(fixture_directory("v3-classifier")));
}

TEST_CASE("both spellings of the masked-LM head give the same bits, and `legacy` chooses where both are there") {
  const std::vector<float> expected = outputs(fixture_directory("v3-mlm-legacy"));
  EditableCheckpoint renamed(fixture_directory("v3-mlm-legacy"));
  renamed.rename_prefix("cls.predictions.transform.", "lm_predictions.lm_head.");
  renamed.rename("cls.predictions.bias", "lm_predictions.lm_head.bias");
  CHECK(outputs(renamed.write()) == expected);

  EditableCheckpoint both(fixture_directory("v3-mlm-legacy"));
  both.add("lm_predictions.lm_head.dense.weight", {48, 48});
  both.add("lm_predictions.lm_head.dense.bias", {48});
  both.add("lm_predictions.lm_head.LayerNorm.weight", {48});
  both.add("lm_predictions.lm_head.LayerNorm.bias", {48});
  both.add("lm_predictions.lm_head.bias", {2100});
  CHECK(outputs(both.write()) == expected);
  both.edit_config("\"legacy\": true", "\"legacy\": false");
  CHECK(outputs(both.write()) != expected);
}

TEST_CASE("tied copies of the embeddings are ignored; an untied decoder is used") {
  EditableCheckpoint checkpoint(fixture_directory("v3-mlm-legacy"));
  const std::vector<float> expected = outputs(fixture_directory("v3-mlm-legacy"));
  checkpoint.add("cls.predictions.decoder.weight", {2100, 48});
  checkpoint.tensors["cls.predictions.decoder.bias"] = checkpoint.tensors["cls.predictions.bias"];
  const auto tied = load(checkpoint.write(), "reference");
  CHECK(ignores(*tied, "cls.predictions.decoder.weight"));
  CHECK(ignores(*tied, "cls.predictions.decoder.bias"));
  CHECK(outputs(*tied) == expected);
  checkpoint.edit_config("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
  CHECK(outputs(checkpoint.write()) != expected);
  checkpoint.tensors["cls.predictions.decoder.weight"] =
      checkpoint.tensors["deberta.embeddings.word_embeddings.weight"];
  CHECK(outputs(checkpoint.write()) == expected);
  checkpoint.tensors.erase("cls.predictions.decoder.weight");
  check_refused(checkpoint, ErrorCode::kWEIGHT_MISSING, {"cls.predictions.decoder.weight"});
}

TEST_CASE("version 1 in version 2's layout gives the same bits") {
  EditableCheckpoint checkpoint(fixture_directory("v1-classifier"));
  constexpr int64_t kHeads = 3;
  constexpr int64_t kHeadSize = 32;
  constexpr size_t kRow = 96 * sizeof(float);
  const std::string zeros(96 * sizeof(float), '\0');
  for (const char* layer : {"0", "1"}) {
    const std::string self = std::string("deberta.encoder.layer.") + layer + ".attention.self.";
    const std::string packed = checkpoint.tensors.at(self + "in_proj.weight").bytes;
    const char* parts[] = {"query_proj", "key_proj", "value_proj"};
    for (int64_t part = 0; part < 3; ++part) {
      std::string bytes;
      for (int64_t head = 0; head < kHeads; ++head) {
        bytes += packed.substr(static_cast<size_t>((3 * head + part) * kHeadSize) * kRow, kHeadSize * kRow);
      }
      checkpoint.tensors[self + parts[part] + ".weight"] = {FileDType::kFloat32, {96, 96}, bytes};
    }
    checkpoint.tensors.erase(self + "in_proj.weight");
    checkpoint.rename(self + "q_bias", self + "query_proj.bias");
    checkpoint.rename(self + "v_bias", self + "value_proj.bias");
    checkpoint.tensors[self + "key_proj.bias"] = {FileDType::kFloat32, {96}, zeros};
    checkpoint.rename(self + "pos_proj.weight", self + "pos_key_proj.weight");
    checkpoint.tensors[self + "pos_key_proj.bias"] = {FileDType::kFloat32, {96}, zeros};
    checkpoint.rename(self + "pos_q_proj.weight", self + "pos_query_proj.weight");
    checkpoint.rename(self + "pos_q_proj.bias", self + "pos_query_proj.bias");
  }
  CHECK(outputs(checkpoint.write()) == outputs(fixture_directory("v1-classifier")));
}

TEST_CASE("float64 weights are read") {
  EditableCheckpoint checkpoint(fixture_directory("v2-absolute"));
  for (auto& [name, tensor] : checkpoint.tensors) {
    std::string wide;
    for (const float value : checkpoint.values(name)) {
      const double number = value;
      wide.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
    tensor.bytes = std::move(wide);
    tensor.dtype = FileDType::kFloat64;
  }
  CHECK(outputs(checkpoint.write()) == outputs(fixture_directory("v2-absolute")));
}

TEST_CASE("a missing tensor is named") {
  for (const std::string& name :
       {kQuery, std::string("deberta.encoder.rel_embeddings.weight"), std::string("deberta.encoder.LayerNorm.bias"),
        std::string("deberta.embeddings.LayerNorm.weight"), std::string("deberta.encoder.layer.0.output.dense.bias"),
        std::string("pooler.dense.weight"), std::string("classifier.bias")}) {
    CAPTURE(name);
    EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
    REQUIRE(checkpoint.tensors.erase(name) == 1);
    check_refused(checkpoint, ErrorCode::kWEIGHT_MISSING, {name});
  }
}

TEST_CASE("a tensor of another shape or of integers is named with both") {
  EditableCheckpoint transposed(fixture_directory("v3-classifier"));
  transposed.tensors.at("deberta.encoder.layer.0.intermediate.dense.weight").shape = {128, 192};
  check_refused(transposed, ErrorCode::kWEIGHT_SHAPE,
                {"layer.0.intermediate.dense.weight", "[192, 128]", "[128, 192]"});

  EditableCheckpoint integers(fixture_directory("v3-classifier"));
  integers.tensors.at(kQuery).dtype = FileDType::kInt32;
  check_refused(integers, ErrorCode::kWEIGHT_SHAPE, {kQuery, "I32"});

  EditableCheckpoint scalar(fixture_directory("v3-classifier"));
  scalar.tensors["deberta.encoder.layer.0.output.dense.bias"] = {FileDType::kFloat32, {}, std::string(4, '\0')};
  check_refused(scalar, ErrorCode::kWEIGHT_SHAPE, {"layer.0.output.dense.bias", "[128]", "[]"});

  EditableCheckpoint labels(fixture_directory("v3-classifier"));
  labels.edit_config("\"2\": \"contradiction\"", "\"2\": \"contradiction\", \"3\": \"more\"");
  check_refused(labels, ErrorCode::kWEIGHT_SHAPE, {"classifier.weight", "[4, 128]", "[3, 128]"});
}

TEST_CASE("the embedding table must be the vocabulary's size") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  checkpoint.edit_config("\"vocab_size\": 2100", "\"vocab_size\": 2101");
  check_refused(checkpoint, ErrorCode::kWEIGHT_SHAPE, {"word_embeddings", "[2101, 128]", "[2100, 128]"});
}

TEST_CASE("a tensor that nothing reads is named") {
  for (const char* name :
       {"deberta.encoder.layer.2.output.dense.bias", "deberta.embeddings.token_type_embeddings.weight",
        "deberta.encoder.layer.0.attention.self.pos_key_proj.weight", "qa_outputs.weight",
        "deberta.encoder.conv.conv.weight", "span_rep_layer.weight",
        "deberta.encoder.layer.0.attention.self.query_proj.lora_A.weight"}) {
    CAPTURE(name);
    EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
    checkpoint.add(name, {128});
    check_refused(checkpoint, ErrorCode::kWEIGHT_UNEXPECTED, {name});
  }
}

TEST_CASE("leftovers of pre-training and training are listed") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  const std::vector<std::string> leftovers = {"deberta.embeddings.position_embeddings.weight",
                                              "deberta.embeddings.position_ids",
                                              "lm_predictions.lm_head.weight",
                                              "lm_predictions.lm_head.dense.weight",
                                              "mask_predictions.classifier.weight",
                                              "cls.predictions.bias",
                                              "loss_fct.weight",
                                              "optimizer.state.0.exp_avg"};
  for (const std::string& name : leftovers) checkpoint.add(name, {3});
  const auto model = load(checkpoint.write(), "reference");
  CHECK(model->info().ignored_tensors.size() == leftovers.size());
  for (const std::string& name : leftovers) CHECK_MESSAGE(ignores(*model, name), name);
  CHECK(outputs(*model) == outputs(fixture_directory("v3-classifier")));
  CHECK(model->info().num_parameters == load(fixture_directory("v3-classifier"), "reference")->info().num_parameters);
}

TEST_CASE("without architectures the tensors tell the task") {
  const auto task = [](const char* fixture, const std::vector<std::string>& erased = {}) {
    EditableCheckpoint checkpoint(fixture_directory(fixture));
    const size_t begin = checkpoint.config.find("\"architectures\"");
    checkpoint.config.erase(begin, checkpoint.config.find("],", begin) + 2 - begin);
    for (const std::string& name : erased) REQUIRE(checkpoint.tensors.erase(name) == 1);
    return load(checkpoint.write(), "reference")->info().task;
  };
  CHECK(task("v3-classifier") == "sequence-classification");
  CHECK(task("v3-reranker-sharded") == "sequence-classification");
  CHECK(task("v3-ner-bin") == "token-classification");
  CHECK(task("v2-conv-qa") == "question-answering");
  CHECK(task("v1-mlm-emd") == "masked-lm");
  CHECK(task("v3-mlm-legacy") == "masked-lm");
  CHECK(task("v2-unshared-p2c") == "encoder");
  CHECK(task("v3-classifier", {"classifier.weight", "classifier.bias"}) == "encoder");
}

TEST_CASE("the caller can choose the encoder alone, whatever stands on it") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  checkpoint.edit_config("DebertaV2ForSequenceClassification", "SomebodysOwnModel");
  checkpoint.add("fc.weight", {7, 128});
  check_refused(checkpoint, ErrorCode::kUNSUPPORTED_CONFIG, {"SomebodysOwnModel", "encoder"});
  const auto model = load(checkpoint.write(), "reference", -1, "encoder");
  CHECK(model->info().task == "encoder");
  CHECK(ignores(*model, "fc.weight"));
  CHECK(ignores(*model, "classifier.weight"));
  const std::vector<float> whole = outputs(fixture_directory("v3-classifier"));
  const std::vector<float> states = outputs(*model);
  CHECK(std::equal(states.begin(), states.end(), whole.begin()));

  checkpoint.add("deberta.encoder.layer.2.output.dense.bias", {128});
  CHECK_THROWS_AS(load(checkpoint.write(), "reference", -1, "encoder"), Error);
  CHECK_THROWS_AS(load(fixture_directory("v3-classifier"), "reference", -1, "no-such-task"), Error);
}

TEST_CASE("a configuration without labels takes their number from the classifier") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  checkpoint.edit_config("\"id2label\"", "\"was_id2label\"");
  checkpoint.edit_config("\"label2id\"", "\"was_label2id\"");
  const auto model = load(checkpoint.write(), "reference");
  CHECK(model->config().num_labels == 3);
  CHECK(model->config().labels == std::vector<std::string>{"LABEL_0", "LABEL_1", "LABEL_2"});
}

TEST_CASE("relative attention without terms, and terms without relative attention") {
  EditableCheckpoint no_terms(fixture_directory("v3-classifier"));
  no_terms.edit_config("\"pos_att_type\": [\n    \"p2c\",\n    \"c2p\"\n  ]", "\"pos_att_type\": null");
  const auto model = load(no_terms.write(), "reference");
  CHECK(ignores(*model, "deberta.encoder.rel_embeddings.weight"));
  CHECK(ignores(*model, "deberta.encoder.LayerNorm.weight"));
  CHECK(outputs(*model) != outputs(fixture_directory("v3-classifier")));

  EditableCheckpoint not_relative(fixture_directory("v3-classifier"));
  not_relative.edit_config("\"relative_attention\": true", "\"relative_attention\": false");
  check_refused(not_relative, ErrorCode::kWEIGHT_UNEXPECTED, {"deberta.encoder.rel_embeddings.weight"});
}

TEST_CASE("a pooler of another width is refused by the heads that have one") {
  EditableCheckpoint checkpoint(fixture_directory("v3-classifier"));
  checkpoint.edit_config("\"pooler_hidden_size\": 128", "\"pooler_hidden_size\": 64");
  check_refused(checkpoint, ErrorCode::kUNSUPPORTED_CONFIG, {"pooler_hidden_size"});
}

TEST_CASE("folders without a checkpoint") {
  CHECK_THROWS_AS(load("/no/such/folder", "reference"), Error);
  EditableCheckpoint broken(fixture_directory("v3-classifier"));
  broken.config.resize(1);  // "{"
  check_refused(broken, ErrorCode::kMODEL_FILE, {"config.json"});
}
