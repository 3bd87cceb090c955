// Configurations of every generation as the hub has them, and one refusal for every rule.
#include "model/config.h"

#include <cmath>

#include "base/error.h"
#include "doctest.h"

using deberta::Activation;
using deberta::Config;
using deberta::Error;
using deberta::ErrorCode;
using deberta::parse_config;

namespace {

/// The keys that have no default, then `more` ("\"key\": value, ...").
std::string with(const std::string& more, const std::string& sizes = R"("hidden_size": 96, "num_attention_heads": 3)") {
  return R"({"vocab_size": 100, "num_hidden_layers": 2, "intermediate_size": 160, )" + sizes +
         (more.empty() ? "" : ", " + more) + "}";
}

Config parse(const std::string& text) { return parse_config(text, "config.json"); }

/// The configuration is refused with `code`, and the message names `key`.
void check_refused(const std::string& text, const std::string& key, ErrorCode code = ErrorCode::kUNSUPPORTED_CONFIG) {
  CAPTURE(text);
  try {
    parse(text);
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == code);
    CHECK(std::string(error.what()).find("config.json") != std::string::npos);
    CHECK_MESSAGE(std::string(error.what()).find(key) != std::string::npos, error.what());
  }
}

}  // namespace

TEST_CASE("the configuration of microsoft/deberta-v3-base, written from its published form") {
  const Config config = parse(R"({
    "model_type": "deberta-v2", "attention_probs_dropout_prob": 0.1, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
    "hidden_size": 768, "initializer_range": 0.02, "intermediate_size": 3072, "max_position_embeddings": 512,
    "relative_attention": true, "position_buckets": 256, "norm_rel_ebd": "layer_norm", "share_att_key": true,
    "pos_att_type": "p2c|c2p", "layer_norm_eps": 1e-7, "max_relative_positions": -1, "position_biased_input": false,
    "num_attention_heads": 12, "num_hidden_layers": 12, "type_vocab_size": 0, "vocab_size": 128100})");
  CHECK(config.model_type == "deberta-v2");
  CHECK(config.attention_head_size == 64);
  CHECK(config.embedding_size == 768);
  CHECK(config.c2p);
  CHECK(config.p2c);
  CHECK(config.att_span() == 256);
  CHECK(config.max_relative_positions == 512);
  CHECK(config.norm_rel_ebd);
  CHECK(config.share_att_key);
  CHECK_FALSE(config.position_biased_input);
  CHECK(config.attention_scale() == doctest::Approx(0.0721687836));  // 1 / sqrt(64 * 3)
  CHECK(config.num_labels == 0);
  CHECK(config.pad_token_id == 0);
  CHECK(config.pooler_hidden_size == 768);
  CHECK(config.pooler_hidden_act == Activation::kGelu);
}

TEST_CASE("version 1 with microsoft's pooling object") {
  const Config config = parse(R"({
    "model_type": "deberta", "hidden_act": "gelu", "hidden_size": 1024, "intermediate_size": 4096,
    "max_position_embeddings": 512, "relative_attention": true, "pos_att_type": "c2p|p2c",
    "max_relative_positions": -1, "position_biased_input": false, "num_attention_heads": 16, "num_hidden_layers": 48,
    "type_vocab_size": 0, "vocab_size": 50265, "padding_idx": 0, "pooling": {"dropout": 0.1, "hidden_act": "tanh"},
    "id2label": {"0": "CONTRADICTION", "1": "NEUTRAL", "2": "ENTAILMENT"}})");
  CHECK(config.model_type == "deberta");
  CHECK(config.att_span() == 512);
  CHECK(config.pooler_hidden_act == Activation::kTanh);
  CHECK(config.pooler_dropout == doctest::Approx(0.1));
  CHECK(config.pooler_hidden_size == 1024);
  CHECK(config.labels == std::vector<std::string>{"CONTRADICTION", "NEUTRAL", "ENTAILMENT"});
}

TEST_CASE("version 2 xlarge: convolution and an explicit head size") {
  const Config config = parse(with(
      R"("model_type": "deberta-v2", "attention_head_size": 64, "conv_kernel_size": 3, "conv_act": "gelu", "pooling": {})",
      R"("hidden_size": 1536, "num_attention_heads": 24)"));
  CHECK(config.attention_head_size == 64);
  CHECK(config.all_head_size() == 1536);
  CHECK(config.conv_kernel_size == 3);
  CHECK(config.conv_groups == 1);
  CHECK(config.conv_act == Activation::kGelu);
}

TEST_CASE("defaults are Hugging Face's") {
  const Config config = parse(with(""));
  CHECK(config.position_biased_input);
  CHECK_FALSE(config.relative_attention);
  CHECK_FALSE(config.has_position_terms());
  CHECK(config.max_position_embeddings == 512);
  CHECK(config.type_vocab_size == 0);
  CHECK(config.layer_norm_eps == doctest::Approx(1e-7));
  CHECK(config.hidden_act == Activation::kGelu);
  CHECK(config.legacy);
  CHECK(config.tie_word_embeddings);
  CHECK(config.attention_scale() == doctest::Approx(1.0 / std::sqrt(32.0)));
  CHECK_FALSE(config.cls_dropout.has_value());
}

TEST_CASE("model_type is inferred where absent") {
  CHECK(parse(with("")).model_type == "deberta");
  CHECK(parse(with(R"("position_buckets": 256)")).model_type == "deberta-v2");
  CHECK(parse(with(R"("norm_rel_ebd": "layer_norm")")).model_type == "deberta-v2");
  CHECK(parse(with(R"("architectures": ["DebertaV2ForMaskedLM"])")).model_type == "deberta-v2");
  CHECK(parse(with(R"("architectures": ["DebertaForMaskedLM"])")).model_type == "deberta");
  check_refused(with(R"("model_type": "bert")"), "model_type");
}

TEST_CASE("pos_att_type is a string, a list or null") {
  const auto terms = [](const std::string& value) {
    const Config config = parse(with("\"pos_att_type\": " + value));
    return std::pair(config.c2p, config.p2c);
  };
  CHECK(terms(R"("c2p|p2c")") == std::pair(true, true));
  CHECK(terms(R"(" P2C ")") == std::pair(false, true));
  CHECK(terms(R"(["c2p"])") == std::pair(true, false));
  CHECK(terms("[]") == std::pair(false, false));
  CHECK(terms("null") == std::pair(false, false));
  check_refused(with(R"("pos_att_type": "c2p|p2p")"), "p2p");
  check_refused(with(R"("pos_att_type": ["c2p", "c2c"])"), "c2c");
  check_refused(with(R"("pos_att_type": "c2p|c2p")"), "twice");
  check_refused(with(R"("pos_att_type": [1])"), "pos_att_type", ErrorCode::kMODEL_FILE);
}

TEST_CASE("the scale counts position terms even without relative attention, as Hugging Face does") {
  const Config config = parse(with(R"("relative_attention": false, "pos_att_type": ["c2p", "p2c"])"));
  CHECK_FALSE(config.has_position_terms());
  CHECK(config.attention_scale() == doctest::Approx(1.0 / std::sqrt(96.0)));
}

TEST_CASE("labels from id2label, label2id, num_labels, or nowhere") {
  using Labels = std::vector<std::string>;
  CHECK(parse(with(R"("id2label": {"1": "b", "0": "a"}, "label2id": {"wrong": 7})")).labels == Labels{"a", "b"});
  CHECK(parse(with(R"("id2label": {"0": 5, "1": 7})")).labels == Labels{"5", "7"});
  CHECK(parse(with(R"("label2id": {"y": "1", "x": 0})")).labels == Labels{"x", "y"});
  CHECK(parse(with(R"("num_labels": 2)")).labels == Labels{"LABEL_0", "LABEL_1"});
  CHECK(parse(with(R"("id2label": null)")).num_labels == 0);
  check_refused(with(R"("id2label": {"0": "a", "2": "b"})"), "id2label");
  check_refused(with(R"("id2label": {"0": "a", "00": "b"})"), "id2label");
  check_refused(with(R"("id2label": {"-1": "a"})"), "id2label");
  check_refused(with(R"("num_labels": 3, "id2label": {"0": "a", "1": "b"})"), "num_labels");
}

TEST_CASE("sizes are required and bounded") {
  for (const char* key : {"vocab_size", "num_hidden_layers", "intermediate_size"}) {
    std::string text = with("");
    text[text.find(key)] = 'x';
    check_refused(text, key);
  }
  check_refused(with("", R"("num_attention_heads": 3)"), "hidden_size");
  check_refused(with("", R"("hidden_size": 96)"), "num_attention_heads");
  check_refused(with("", R"("hidden_size": 97, "num_attention_heads": 3)"), "hidden_size");
  CHECK(parse(with("", R"("hidden_size": 97, "num_attention_heads": 3, "attention_head_size": 32)")).all_head_size() ==
        96);
  check_refused(with("", R"("hidden_size": 0, "num_attention_heads": 3)"), "hidden_size");
  check_refused(with("", R"("hidden_size": 9007199254740992, "num_attention_heads": 3)"), "hidden_size");
  check_refused(with("", R"("hidden_size": 96, "num_attention_heads": 1048576, "attention_head_size": 1048576)"),
                "attention_head_size");
  check_refused(with("", R"("hidden_size": "96", "num_attention_heads": 3)"), "hidden_size", ErrorCode::kMODEL_FILE);
  check_refused(with("", R"("hidden_size": 96.5, "num_attention_heads": 3)"), "hidden_size", ErrorCode::kMODEL_FILE);
  check_refused(with(R"("embedding_size": 0)"), "embedding_size");
  check_refused(with(R"("type_vocab_size": -1)"), "type_vocab_size");
  check_refused(with(R"("layer_norm_eps": -1e-7)"), "layer_norm_eps");
  check_refused(with(R"("layer_norm_eps": 1e300)"), "layer_norm_eps");
  check_refused(with(R"("hidden_dropout_prob": 1.5)"), "hidden_dropout_prob");
}

TEST_CASE("what cannot be computed is refused by name") {
  check_refused(with(R"("hidden_act": "prelu")"), "prelu");
  check_refused(with(R"("z_steps": 2)"), "z_steps");
  check_refused(with(R"("model_type": "deberta-v2", "conv_kernel_size": 4)"), "conv_kernel_size");
  check_refused(with(R"("model_type": "deberta-v2", "conv_kernel_size": 3, "conv_groups": 5)"), "conv_groups");
  check_refused(with(R"("model_type": "deberta-v2", "conv_kernel_size": 3, "conv_act": "maxout")"), "conv_act");
  check_refused(with(R"("relative_attention": true, "model_type": "deberta-v2", "position_buckets": 7)"),
                "position_buckets");
  check_refused(with(R"("relative_attention": true, "model_type": "deberta-v2", "position_buckets": 2)"),
                "position_buckets");
  check_refused(
      with(
          R"("relative_attention": true, "model_type": "deberta-v2", "position_buckets": 64, "max_relative_positions": 33)"),
      "position_buckets");
  check_refused(with(R"("norm_rel_ebd": "batch_norm", "model_type": "deberta-v2")"), "norm_rel_ebd");
}

TEST_CASE("knobs of the other generation are refused") {
  check_refused(with(R"("model_type": "deberta-v2", "talking_head": true)"), "talking_head");
  check_refused(with(R"("model_type": "deberta", "relative_attention": true, "position_buckets": 256)"),
                "position_buckets");
  check_refused(with(R"("model_type": "deberta", "share_att_key": true)"), "share_att_key");
  check_refused(with(R"("model_type": "deberta", "norm_rel_ebd": "layer_norm")"), "norm_rel_ebd");
  check_refused(with(R"("model_type": "deberta", "conv_kernel_size": 3)"), "conv_kernel_size");
  CHECK(parse(with(R"("model_type": "deberta", "position_buckets": -1, "norm_rel_ebd": "none")")).att_span() == 512);
}

TEST_CASE("malformed text") {
  for (const char* text : {"", "[]", "{", "null", "{\"hidden_size\": }", "\xff"}) {
    CHECK_THROWS_AS(parse(text), Error);
  }
}
