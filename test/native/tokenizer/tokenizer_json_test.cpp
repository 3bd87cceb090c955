// tokenizer.json and bpe_encoder.bin: the same vocabulary through another file gives the same tokens; what is not
// DeBERTa's is refused by name.
#include <doctest.h>

#include "base/error.h"
#include "golden_check.h"
#include "io/json_reader.h"
#include "small_tokenizer.h"

namespace deberta {
namespace {

std::string load_message(const std::string& text) {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", text);
  try {
    Tokenizer::load(folder.path());
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kTOKENIZER_FILE);
    return error.what();
  }
  return "";
}

// The tokens and merges of the committed BPE fixture.
struct BpeFixture {
  std::vector<std::string> tokens;  // by id
  std::vector<std::pair<std::string, std::string>> merges;

  BpeFixture() {
    const JsonDocument vocab = read_json_file(fixture("tokenizers/bpe-2k/vocab.json"));
    tokens.resize(vocab.root_object().size());
    for (const JsonMember& member : vocab.root_object().members()) {
      tokens.at(static_cast<size_t>(*member.value.as_integer())) = member.key;
    }
    const std::string text = read_bytes(fixture("tokenizers/bpe-2k/merges.txt"));
    for (size_t begin = text.find('\n') + 1; begin < text.size(); begin = text.find('\n', begin) + 1) {
      const size_t space = text.find(' ', begin), end = text.find('\n', begin);
      merges.emplace_back(text.substr(begin, space - begin), text.substr(space + 1, end - space - 1));
      if (end == std::string::npos) break;
    }
  }
};

// Just enough of pickle's protocol 2 to write bpe_encoder.bin.
std::string pickled(const std::string& text) {
  std::string out = "X";
  for (int i = 0; i < 4; ++i) out += static_cast<char>(text.size() >> (8 * i) & 0xFF);
  return out + text;
}

std::string pickled(int32_t value) {
  std::string out = "J";
  for (int i = 0; i < 4; ++i) out += static_cast<char>(static_cast<uint32_t>(value) >> (8 * i) & 0xFF);
  return out;
}

std::string bpe_encoder(const BpeFixture& bpe) {
  std::string encoder = "}(", merges = "](", dict_map = "](";
  for (size_t id = 4; id + 1 < bpe.tokens.size(); ++id) {
    const auto gpt2_id = static_cast<int32_t>(bpe.tokens.size() - id);  // any other order than DeBERTa's
    encoder += pickled(bpe.tokens[id]) + pickled(gpt2_id);
    dict_map += pickled(std::to_string(gpt2_id)) + pickled(1) + "\x86";
  }
  for (const auto& [left, right] : bpe.merges) merges += pickled(left) + pickled(right) + "\x86";
  return "\x80\x02}(" + pickled("encoder") + encoder + "u" + pickled("vocab") + merges + "e" + pickled("dict_map") +
         dict_map + "eu.";
}

TEST_CASE("bpe_encoder.bin alone gives what vocab.json and merges.txt give") {
  const TemporaryFolder folder;
  folder.write("bpe_encoder.bin", bpe_encoder(BpeFixture()));
  const auto tokenizer = Tokenizer::load(folder.path());
  CHECK(tokenizer->special_tokens().mask == 2047);
  CHECK(count_differences(*tokenizer, read_golden(fixture("tokenizers/bpe-2k/golden.jsonl"))) == 0);
}

TEST_CASE("bpe_encoder.bin that is something else is refused") {
  const TemporaryFolder folder;
  const std::string whole = bpe_encoder(BpeFixture());
  for (const std::string& bytes : {std::string(), std::string("\x80\x02}."), std::string("\x80\x02]."),
                                   whole.substr(0, whole.size() / 2), std::string("cposix\nsystem\n.")}) {
    folder.write("bpe_encoder.bin", bytes);
    CHECK_THROWS_AS(Tokenizer::load(folder.path()), Error);
  }
}

TEST_CASE("spm.model as a tokenizer.json gives the same tokens") {
  const TemporaryFolder folder;
  folder.copy(fixture("tokenizers/tiny-en-2k"), "spm.model");
  folder.write("tokenizer.json", tokenizer_json_of(folder.path() + "/spm.model", true));
  const auto tokenizer = Tokenizer::load(folder.path(), TokenizerSource::kTokenizerJson);
  CHECK(tokenizer->special_tokens().mask == 2048);
  CHECK(count_differences(*tokenizer, read_golden(fixture("tokenizers/tiny-en-2k/golden.jsonl"))) == 0);
}

TEST_CASE("byte_fallback false makes runs of unknown characters one [UNK]") {
  const TemporaryFolder folder;
  folder.write("tokenizer.json", tokenizer_json_of(fixture("tokenizers/tiny-en-2k/spm.model"), false));
  const auto tokenizer = Tokenizer::load(folder.path());
  EncodeOptions options;
  options.add_special_tokens = false;
  options.offsets = true;
  const Encoding encoding = tokenizer->encode(u"a \u4e2d\u6587 b", nullptr, options).at(0);
  std::vector<std::string> tokens;
  for (const int32_t id : encoding.input_ids) tokens.push_back(tokenizer->id_to_token(id));
  CHECK(tokens == std::vector<std::string>{"▁a", "▁", "[UNK]", "▁b"});
  CHECK(encoding.offsets == std::vector<int32_t>{0, 1, 2, 2, 2, 4, 5, 6});
}

TEST_CASE("byte-level BPE in a tokenizer.json, merges as pairs and as lines") {
  const BpeFixture bpe;
  const auto quoted = [](const std::string& text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    return out + "\"";
  };
  for (const bool pairs : {true, false}) {
    std::string vocab, merges;
    for (size_t id = 0; id < bpe.tokens.size(); ++id) {
      vocab += (id ? ", " : "") + quoted(bpe.tokens[id]) + ": " + std::to_string(id);
    }
    for (const auto& [left, right] : bpe.merges) {
      merges += merges.empty() ? "" : ", ";
      merges += pairs ? "[" + quoted(left) + ", " + quoted(right) + "]" : quoted(left + " " + right);
    }
    const TemporaryFolder folder;
    folder.write("tokenizer.json",
                 R"({"added_tokens": [{"id": 2047, "content": "[MASK]", "special": true, "lstrip": true}],
                   "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
                   "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                   "end_of_word_suffix": "", "fuse_unk": false, "vocab": {)" +
                     vocab + "}, \"merges\": [" + merges + "]}}");
    const auto tokenizer = Tokenizer::load(folder.path());
    CHECK(count_differences(*tokenizer, read_golden(fixture("tokenizers/bpe-2k/golden.jsonl"))) == 0);
  }
}

TEST_CASE("what is not DeBERTa's is refused by name") {
  const auto message = [](auto change) {
    UnigramJson json;
    change(json);
    return load_message(json.text());
  };
  const auto mentions = [](const std::string& text, const std::string& word) {
    CHECK_MESSAGE(text.find(word) != std::string::npos, text);
  };
  CHECK(message([](UnigramJson&) {}).empty());
  mentions(message([](UnigramJson& j) { j.normalizer = R"({"type": "NFC"})"; }), "NFC");
  mentions(message([](UnigramJson& j) { j.normalizer = R"({"type": "Strip"})"; }), "Strip");
  mentions(message([](UnigramJson& j) {
             j.normalizer = R"({"type": "Replace", "pattern": {"Regex": "x"}, "content": " "})";
           }),
           "Replace");
  mentions(message([](UnigramJson& j) { j.normalizer = R"({"type": "Precompiled", "precompiled_charsmap": "??"})"; }),
           "base64");
  mentions(message([](UnigramJson& j) { j.pre_tokenizer = R"({"type": "Whitespace"})"; }), "Whitespace");
  mentions(message([](UnigramJson& j) { j.pre_tokenizer = R"({"type": "Metaspace", "prepend_scheme": "first"})"; }),
           "first");
  mentions(message([](UnigramJson& j) { j.pre_tokenizer = "null"; }), "Metaspace");
  mentions(message([](UnigramJson& j) { j.post_processor = R"({"type": "RobertaProcessing"})"; }), "RobertaProcessing");
  mentions(message([](UnigramJson& j) {
             j.post_processor = R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}],
                                    "pair": []})";
           }),
           "post_processor.single");
  mentions(message([](UnigramJson& j) { j.vocab = R"(["a", -1], ["a", -2])"; }), "occurs twice");
  mentions(message([](UnigramJson& j) { j.byte_fallback = true; }), "256 byte pieces");
  mentions(load_message(R"({"model": {"type": "WordPiece", "vocab": {}}})"), "WordPiece");
  mentions(load_message("{}"), "model");
}

TEST_CASE("the template of DeBERTa is accepted") {
  UnigramJson json;
  json.post_processor = R"({"type": "TemplateProcessing",
      "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                 {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
      "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
               {"SpecialToken": {"id": "[SEP]", "type_id": 1}}]})";
  CHECK(load_message(json.text()).empty());
}

}  // namespace
}  // namespace deberta
