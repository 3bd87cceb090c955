// Sections in the order in which text passes them: normalizer, pre_tokenizer, model, post_processor, decoder.
#include "tokenizer/tokenizer_json.h"

#include <array>

#include "io/utf8.h"

namespace deberta {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

std::string decode_base64(const JsonDocument& document, const std::string& text) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<int8_t, 256> value;
  value.fill(-1);
  for (size_t i = 0; i < kDigits.size(); ++i) value[static_cast<unsigned char>(kDigits[i])] = static_cast<int8_t>(i);
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') break;
    const int digit = value[static_cast<unsigned char>(c)];
    if (digit < 0) document.fail("normalizer.precompiled_charsmap", "expected base64");
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

class TokenizerJsonReader {
 public:
  TokenizerJsonReader(const std::string& path, TokenizerConfig& config, TokenizerParts& parts)
      : document_(read_json_file(path, tokenizer_json_options())), config_(config), parts_(parts) {}

  void read() {
    const JsonObject& root = document_.root_object();
    read_added_tokens(root);
    const JsonObject& model = document_.object_at(root, "model");
    const std::string type = document_.string_or(model, "type", model.find("merges") ? "BPE" : "Unigram");
    if (type == "Unigram") {
      read_unigram(root, model);
    } else if (type == "BPE") {
      read_bpe(root, model);
    } else {
      refuse("model.type", type);
    }
    if (const JsonObject* post = document_.object_or_null(root, "post_processor")) read_post_processor(*post);
  }

 private:
  [[noreturn]] void refuse(std::string_view where, std::string_view what) const {
    document_.fail(where, "\"" + printable(what) + "\" is not supported");
  }

  std::string type_of(const JsonObject& object) const { return document_.string_at(object, "type"); }

  // The steps of a "Sequence", or the one step that stands for itself; none for null.
  std::vector<const JsonObject*> steps(const JsonObject& root, const char* section, const char* list) const {
    const JsonObject* object = document_.object_or_null(root, section);
    if (object == nullptr) return {};
    if (type_of(*object) != "Sequence") return {object};
    std::vector<const JsonObject*> result;
    for (const JsonValue& item : document_.array_at(*object, list)) {
      result.push_back(&document_.expect_object(item, section));
    }
    return result;
  }

  void read_added_tokens(const JsonObject& root) {
    const JsonArray* list = document_.array_or_null(root, "added_tokens");
    if (list == nullptr) return;
    for (const JsonValue& item : *list) {
      const JsonObject& object = document_.expect_object(item, "added_tokens");
      AddedToken token = parse_added_token(document_, object);
      const int64_t id = document_.integer_at(object, "id");
      if (id < 0 || id >= INT32_MAX)
        document_.fail("added_tokens", "the id " + std::to_string(id) + " is out of range");
      token.id = static_cast<int32_t>(id);
      config_.add(std::move(token));
    }
  }

  void read_unigram(const JsonObject& root, const JsonObject& object) {
    SentencePieceModel model;
    model.file = document_.file();
    model.add_dummy_prefix = false;
    model.remove_extra_whitespaces = false;
    read_unigram_normalizer(root, model);
    read_metaspace(root, model);
    model.byte_fallback = document_.bool_or(object, "byte_fallback", false);
    const int64_t unk_id = document_.integer_at(object, "unk_id");
    const JsonArray& vocab = document_.array_at(object, "vocab");
    for (size_t id = 0; id < vocab.size(); ++id) {
      const JsonArray& entry = document_.expect_array(vocab[id], "model.vocab");
      if (entry.size() != 2) document_.fail("model.vocab", "expected [piece, score]");
      const std::string& piece = document_.expect_string(entry[0], "model.vocab");
      const auto score = static_cast<float>(document_.expect_number(entry[1], "model.vocab"));
      model.add_piece(piece, score, piece_type(model, piece, static_cast<int64_t>(id), unk_id));
    }
    model.check();
    parts_.unigram = std::make_unique<SentencePieceUnigram>(std::move(model));
  }

  // tokenizer.json does not tell control pieces from others: those that are special added tokens are.
  PieceType piece_type(const SentencePieceModel& model, const std::string& piece, int64_t id, int64_t unk_id) const {
    if (id == unk_id) return PieceType::kUnknown;
    if (model.byte_fallback && byte_of_piece(piece) >= 0) return PieceType::kByte;
    for (const AddedToken& token : config_.added) {
      if (token.id == id && token.special && token.content == piece) return PieceType::kControl;
    }
    return PieceType::kNormal;
  }

  void read_unigram_normalizer(const JsonObject& root, SentencePieceModel& model) {
    bool strips_left = false, strips_right = false, collapses = false;
    for (const JsonObject* step : steps(root, "normalizer", "normalizers")) {
      const std::string type = type_of(*step);
      if (type == "Precompiled") {
        model.charsmap = decode_base64(document_, document_.string_at(*step, "precompiled_charsmap"));
      } else if (type == "Strip") {
        strips_left = document_.bool_or(*step, "strip_left", true);
        strips_right = document_.bool_or(*step, "strip_right", true);
      } else if (type == "Lowercase") {
        parts_.do_lower_case = true;
      } else if (type == "Replace" && is_collapse(*step)) {
        collapses = true;
      } else {
        refuse("normalizer", type);
      }
    }
    // Together they are remove_extra_whitespaces; alone they have no counterpart in SentencePiece.
    if (strips_left != strips_right || strips_left != collapses) {
      document_.fail("normalizer", "expected Strip on both sides together with Replace(\" {2,}\"), or neither");
    }
    model.remove_extra_whitespaces = collapses;
  }

  // Replace(Regex(" {2,}") -> " "), or to ▁ as newer converters write it.
  bool is_collapse(const JsonObject& step) const {
    const JsonObject& pattern = document_.object_at(step, "pattern");
    const std::string content = document_.string_at(step, "content");
    return document_.string_or(pattern, "Regex", "") == " {2,}" && (content == " " || content == kSpaceSymbol);
  }

  void read_metaspace(const JsonObject& root, SentencePieceModel& model) {
    bool found = false;
    for (const JsonObject* step : steps(root, "pre_tokenizer", "pretokenizers")) {
      const std::string type = type_of(*step);
      if (type == "Punctuation" && !found) {
        if (document_.string_or(*step, "behavior", "Isolated") != "Isolated") refuse("pre_tokenizer", "Punctuation");
        parts_.split_by_punct = true;
      } else if (type == "Metaspace" && !found) {
        found = true;
        if (document_.string_or(*step, "replacement", std::string(kSpaceSymbol)) != kSpaceSymbol) {
          refuse("pre_tokenizer.replacement", document_.string_at(*step, "replacement"));
        }
        const bool prefix = document_.bool_or(*step, "add_prefix_space", true);  // of versions before prepend_scheme
        const std::string scheme = document_.string_or(*step, "prepend_scheme", prefix ? "always" : "never");
        if (scheme != "always" && scheme != "never") refuse("pre_tokenizer.prepend_scheme", scheme);
        model.add_dummy_prefix = scheme == "always";
      } else {
        refuse("pre_tokenizer", type);
      }
    }
    if (!found) document_.fail("pre_tokenizer", "expected Metaspace for a Unigram model");
  }

  void read_bpe(const JsonObject& root, const JsonObject& model) {
    if (!steps(root, "normalizer", "normalizers").empty()) refuse("normalizer", "a normalizer with byte-level BPE");
    const auto pre = steps(root, "pre_tokenizer", "pretokenizers");
    if (pre.size() != 1 || type_of(*pre[0]) != "ByteLevel" || !document_.bool_or(*pre[0], "use_regex", true)) {
      document_.fail("pre_tokenizer", "expected ByteLevel with its expression for a BPE model");
    }
    for (const char* option : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
      const JsonValue* value = model.find(option);
      const std::string* text = value ? value->as_string() : nullptr;
      if (value && !value->is_null() && !(text && text->empty())) refuse("model", option);
    }
    for (const char* option : {"byte_fallback", "ignore_merges"}) {
      if (document_.bool_or(model, option, false)) refuse("model", option);
    }
    BpeVocabulary vocabulary;
    vocabulary.file = document_.file();
    vocabulary.unk_token = document_.string_or(model, "unk_token", config_.role(TokenRole::kUnk).content);
    for (const JsonMember& member : document_.object_at(model, "vocab").members()) {
      const int64_t id = document_.expect_integer(member.value, "model.vocab");
      if (id < 0 || id > INT32_MAX) document_.fail("model.vocab", "the id " + std::to_string(id) + " is out of range");
      vocabulary.tokens.emplace_back(member.key, static_cast<int32_t>(id));
    }
    for (const JsonValue& item : document_.array_at(model, "merges")) vocabulary.merges.push_back(merge(item));
    parts_.bpe = std::make_unique<ByteLevelBpe>(vocabulary, document_.bool_or(*pre[0], "add_prefix_space", false));
  }

  // ["left", "right"], or "left right" as older files have it.
  std::pair<std::string, std::string> merge(const JsonValue& item) const {
    if (const JsonArray* pair = item.as_array()) {
      if (pair->size() != 2) document_.fail("model.merges", "expected pairs");
      return {document_.expect_string((*pair)[0], "model.merges"), document_.expect_string((*pair)[1], "model.merges")};
    }
    const std::string& text = document_.expect_string(item, "model.merges");
    const size_t space = text.find(' ');
    if (space == std::string::npos) document_.fail("model.merges", "expected two tokens and a space between them");
    return {text.substr(0, space), text.substr(space + 1)};
  }

  // Only the template that Tokenizer::encode applies: [CLS] A [SEP], [CLS] A [SEP] B [SEP] with types 0 and 1.
  void read_post_processor(const JsonObject& post) const {
    const std::string type = type_of(post);
    if (type == "ByteLevel") return;  // trims offsets only, as we always do
    if (type != "TemplateProcessing") refuse("post_processor", type);
    const std::string &cls = config_.role(TokenRole::kCls).content, &sep = config_.role(TokenRole::kSep).content;
    const std::vector<std::string> single{cls + ":0", "A:0", sep + ":0"};
    std::vector<std::string> pair = single;
    pair.insert(pair.end(), {"B:1", sep + ":1"});
    if (items(post, "single") != single) refuse("post_processor.single", "a template other than [CLS] A [SEP]");
    if (items(post, "pair") != pair) refuse("post_processor.pair", "a template other than [CLS] A [SEP] B [SEP]");
  }

  // {"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}} as "[CLS]:0", "A:0".
  std::vector<std::string> items(const JsonObject& post, const char* key) const {
    std::vector<std::string> result;
    for (const JsonValue& item : document_.array_at(post, key)) {
      const JsonObject& object = document_.expect_object(item, key);
      const JsonObject* inner = document_.object_or_null(object, "SpecialToken");
      if (inner == nullptr) inner = &document_.object_at(object, "Sequence");
      result.push_back(document_.string_at(*inner, "id") + ":" +
                       std::to_string(document_.integer_at(*inner, "type_id")));
    }
    return result;
  }

  JsonDocument document_;
  TokenizerConfig& config_;
  TokenizerParts& parts_;
};

}  // namespace

void read_tokenizer_json(const std::string& path, TokenizerConfig& config, TokenizerParts& parts) {
  TokenizerJsonReader(path, config, parts).read();
}

}  // namespace deberta
