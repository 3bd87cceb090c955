// Special and added tokens: never injected by text unless asked, split off as Hugging Face does, ids from every file.
#include <doctest.h>

#include "base/error.h"
#include "golden_check.h"
#include "small_tokenizer.h"

namespace deberta {
namespace {

std::vector<std::string> tokens_of(const Tokenizer& tokenizer, std::u16string_view text, const EncodeOptions& options) {
  std::vector<std::string> tokens;
  const Encoding encoding = tokenizer.encode(text, nullptr, options).at(0);
  for (const int32_t id : encoding.input_ids) tokens.push_back(tokenizer.id_to_token(id));
  return tokens;
}

EncodeOptions plain() {
  EncodeOptions options;
  options.add_special_tokens = false;
  return options;
}

ErrorCode load_error(const TemporaryFolder& folder) {
  try {
    Tokenizer::load(folder.path());
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kINTERNAL;
}

using Tokens = std::vector<std::string>;

TEST_CASE("text never injects special tokens by default") {
  for (const char* name : {"tokenizers/tiny-en-2k", "tokenizers/bpe-2k"}) {
    const auto tokenizer = Tokenizer::load(fixture(name));
    const SpecialTokens& special = tokenizer->special_tokens();
    for (const int32_t id : ids_of(*tokenizer, u"[CLS] a [SEP] b [MASK] [PAD] [UNK]")) {
      CHECK(!tokenizer->is_special(id));
      CHECK(id != special.mask);
    }
  }
}

TEST_CASE("allow_mask recognises the mask alone, parse_special_tokens all") {
  const auto tokenizer = letter_tokenizer();
  EncodeOptions options = plain();
  options.allow_mask = true;
  CHECK(tokens_of(*tokenizer, u"x[MASK]y", options) == Tokens{"▁x", "[MASK]", "▁y"});
  CHECK(tokens_of(*tokenizer, u" [MASK] [MASK]", options) == Tokens{"[MASK]", "[MASK]"});
  CHECK(tokens_of(*tokenizer, u"a[SEP]", options) == Tokens{"▁a", "[UNK]"});
  options.parse_special_tokens = true;
  CHECK(tokens_of(*tokenizer, u"a[SEP] b", options) == Tokens{"▁a", "[SEP]", "▁b"});
}

TEST_CASE("offsets of special tokens found in the text") {
  EncodeOptions options = plain();
  options.allow_mask = options.offsets = true;
  CHECK(letter_tokenizer()->encode(u"x [MASK] y", nullptr, options).at(0).offsets ==
        std::vector<int32_t>{0, 1, 2, 8, 9, 10});
  // v1: the token eats the space before it, its range does not
  const auto bpe = Tokenizer::load(fixture("tokenizers/bpe-2k"));
  const Encoding encoding = bpe->encode(u"the [MASK] a", nullptr, options).at(0);
  CHECK(encoding.input_ids.size() == 3);
  CHECK(encoding.offsets == std::vector<int32_t>{0, 3, 4, 10, 11, 12});
}

TEST_CASE("[MASK] gets the id after the vocabulary, or the one a file gives it") {
  CHECK(letter_tokenizer()->special_tokens().mask == letter_tokenizer()->vocab_size() - 1);
  const TemporaryFolder folder;
  folder.copy(fixture("tokenizers/tiny-en-2k"), "spm.model");
  CHECK(Tokenizer::load(folder.path())->special_tokens().mask == 2048);
  folder.write("added_tokens.json", R"({"[MASK]": 2060, "hello world": 2050})");
  const auto tokenizer = Tokenizer::load(folder.path());
  CHECK(tokenizer->special_tokens().mask == 2060);
  CHECK(tokenizer->vocab_size() == 2061);
  CHECK(tokenizer->id_to_token(2060) == "[MASK]");
  CHECK(tokenizer->is_special(2060));
  CHECK(!tokenizer->is_special(2050));
  CHECK_THROWS_AS(tokenizer->id_to_token(2055), Error);
  CHECK(tokens_of(*tokenizer, u"I say hello world", plain()).back() == "hello world");  // a word, not special
}

TEST_CASE("flags and names come from tokenizer_config.json, then special_tokens_map.json") {
  const TemporaryFolder folder;
  folder.copy(fixture("tokenizers/tiny-en-2k"), "spm.model");
  folder.write("tokenizer_config.json", R"({"model_max_length": 1000000000000000019884624838656,
      "mask_token": {"content": "<mask>", "lstrip": true}, "truncation_side": "left",
      "added_tokens_decoder": {"0": {"content": "[PAD]", "special": true},
                               "2049": {"content": "<w>", "single_word": true, "special": false}}})");
  folder.write("special_tokens_map.json",
               R"({"mask_token": "[MASK]", "additional_special_tokens": ["<extra>"], "pad_token": "[PAD]"})");
  const auto tokenizer = Tokenizer::load(folder.path());
  CHECK(tokenizer->model_max_length() == 0);
  CHECK(tokenizer->id_to_token(tokenizer->special_tokens().mask) == "<mask>");
  CHECK(tokenizer->special_tokens().mask == 2050);
  CHECK(tokenizer->token_to_id("<extra>") == 2051);
  EncodeOptions options = plain();
  options.allow_mask = options.offsets = true;
  const Encoding encoding = tokenizer->encode(u"the <mask>", nullptr, options).at(0);
  CHECK(encoding.input_ids.back() == 2050);
  CHECK(encoding.input_ids.size() == 2);
  CHECK(tokens_of(*tokenizer, u"a <w> b", plain())[1] == "<w>");
  CHECK(tokens_of(*tokenizer, u"a<w>b", plain())[1] != "<w>");
}

TEST_CASE("files that disagree are refused") {
  const TemporaryFolder folder;
  folder.copy(fixture("tokenizers/tiny-en-2k"), "spm.model");
  for (const char* text : {R"({"[MASK]": 7})", R"({"a": 3000, "b": 3000})", R"({"": 3000})", R"({"x": -1})",
                           R"({"x": 1e99})", R"([])", R"({"x": "y"})"}) {
    folder.write("added_tokens.json", text);
    CHECK_MESSAGE(load_error(folder) == ErrorCode::kTOKENIZER_FILE, text);
  }
  folder.write("added_tokens.json", "{}");
  for (const char* text : {R"({"cls_token": "<none>"})", R"({"truncation_side": "up"})", R"({"do_lower_case": 3})",
                           R"({"added_tokens_decoder": {"x": {"content": "y"}}})"}) {
    folder.write("tokenizer_config.json", text);
    CHECK_MESSAGE(load_error(folder) == ErrorCode::kTOKENIZER_FILE, text);
  }
  const TemporaryFolder empty;
  CHECK(load_error(empty) == ErrorCode::kFILE_NOT_FOUND);
}

TEST_CASE("do_lower_case and split_by_punct") {
  const TemporaryFolder folder;
  UnigramJson json;
  json.vocab = R"(["▁", -9], ["▁a", -2], ["b", -2], ["▁!", -2], ["▁b", -2], ["▁i̇", -3])";
  folder.write("tokenizer.json", json.text());
  folder.write("tokenizer_config.json", R"({"do_lower_case": true, "split_by_punct": true})");
  const auto tokenizer = Tokenizer::load(folder.path());
  EncodeOptions options = plain();
  options.offsets = options.allow_mask = true;
  CHECK(tokens_of(*tokenizer, u"AB!B [MASK] A", options) == Tokens{"▁a", "b", "▁!", "▁b", "[MASK]", "▁a"});
  const Encoding encoding = tokenizer->encode(u"A \u0130!", nullptr, options).at(0);
  CHECK(encoding.offsets == std::vector<int32_t>{0, 1, 2, 3, 3, 4});
}

}  // namespace
}  // namespace deberta
