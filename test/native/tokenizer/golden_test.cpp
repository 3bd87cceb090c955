// Every line of every golden: ids, tokens and offsets equal. Oracles: SentencePiece 0.2.2, Hugging Face's byte-level
// BPE.
#include <doctest.h>

#include "golden_check.h"
#include "io/json_reader.h"
#include "tokenizer/encode_batch.h"

namespace deberta {
namespace {

void check_folder(const std::string& folder, size_t lines) {
  const auto tokenizer = Tokenizer::load(folder);
  const auto golden = read_golden(folder + "/golden.jsonl");
  CHECK(golden.size() == lines);
  CHECK(count_differences(*tokenizer, golden) == 0);
}

TEST_CASE("SentencePiece golden, 2,048 pieces") { check_folder(fixture("tokenizers/tiny-en-2k"), 612); }

TEST_CASE("byte-level BPE golden, 2,048 tokens") { check_folder(fixture("tokenizers/bpe-2k"), 612); }

TEST_CASE("external fixture: the vocabulary of DeBERTa-v3") {
  if (const auto folder = external_fixture("deberta-v3")) check_folder(*folder, 1434);
}

TEST_CASE("external fixture: the vocabulary of DeBERTa v1") {
  if (const auto folder = external_fixture("deberta-v1")) check_folder(*folder, 1434);
}

// {"text", "input_ids", ...} as the bundled models' goldens have them, special tokens included.
void check_model(const std::string& model, const std::string& golden, bool allow_mask) {
  const auto tokenizer = Tokenizer::load(in_repository("models/" + model));
  CHECK(tokenizer->special_tokens().mask == 8000);
  CHECK(tokenizer->vocab_size() == 8001);
  EncodeOptions options;
  options.allow_mask = allow_mask;
  const JsonDocument document = read_json_file(in_repository("models/" + model + "/golden/" + golden));
  const JsonArray& cases = document.expect_array(document.root(), "root");
  CHECK(cases.size() >= 2);
  for (const JsonValue& value : cases) {
    const JsonObject& object = document.expect_object(value, "case");
    std::vector<int32_t> expected;
    for (const JsonValue& id : document.array_at(object, "input_ids")) {
      expected.push_back(static_cast<int32_t>(*id.as_integer()));
    }
    const std::string text = document.string_at(object, "text");
    CHECK_MESSAGE(tokenizer->encode(to_utf16(text), nullptr, options).at(0).input_ids == expected, text);
  }
}

TEST_CASE("the bundled masked language model's ids") { check_model("deberta-mini-en", "fill_mask.json", true); }

TEST_CASE("the bundled classifier's ids") { check_model("deberta-mini-en-sentiment", "classify.json", false); }

TEST_CASE("a batch gives what single calls give, in order") {
  for (const char* name : {"tokenizers/tiny-en-2k", "tokenizers/bpe-2k"}) {
    const auto tokenizer = Tokenizer::load(fixture(name));
    std::vector<std::u16string> texts;
    for (const GoldenLine& line : read_golden(fixture(name) + "/golden.jsonl")) texts.push_back(to_utf16(line.text));
    texts.push_back(std::u16string(300'000, u'x'));  // one that is longer than all others together
    std::vector<TextInput> inputs;
    for (size_t i = 0; i < texts.size(); ++i) {
      inputs.push_back(
          {texts[i], i % 3 == 0 ? std::optional<std::u16string_view>(texts[texts.size() - 1 - i]) : std::nullopt});
    }
    EncodeOptions options;
    options.offsets = true;
    for (const int threads : {0, 1, 2}) {
      const auto batch = encode_batch(*tokenizer, inputs, options, CancelToken{}, threads);
      REQUIRE(batch.size() == inputs.size());
      for (size_t i = 0; i < inputs.size(); ++i) {
        const auto& pair = inputs[i].text_pair;
        const auto single = tokenizer->encode(inputs[i].text, pair ? &*pair : nullptr, options);
        REQUIRE(batch[i].size() == single.size());
        CHECK(batch[i][0].input_ids == single[0].input_ids);
        CHECK(batch[i][0].offsets == single[0].offsets);
      }
    }
  }
}

TEST_CASE("a batch reports the first text that fails, and stops when cancelled") {
  const auto tokenizer = Tokenizer::load(fixture("tokenizers/tiny-en-2k"));
  const std::u16string long_text(40'000, u'a'), short_text = u"a";
  std::vector<TextInput> inputs(9, {short_text, std::nullopt});
  inputs[4].text = inputs[7].text = long_text;
  EncodeOptions options;
  options.max_length = 8;
  try {
    encode_batch(*tokenizer, inputs, options, CancelToken{});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kSEQUENCE_TOO_LONG);
    CHECK(std::string(error.what()).find("text 4") != std::string::npos);
  }
  CancelToken cancelled;
  cancelled.cancel();
  try {
    encode_batch(*tokenizer, inputs, options, cancelled);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kABORTED);
  }
}

}  // namespace
}  // namespace deberta
