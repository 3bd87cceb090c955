// Three files, one structure. GPT-2 ids exist only inside bpe_encoder.bin; DeBERTa's ids are positions in its dict_map.
#include "tokenizer/bpe_files.h"

#include <unordered_map>

#include "base/error.h"
#include "io/mapped_file.h"
#include "io/pickle_file.h"
#include "io/utf8.h"
#include "tokenizer/tokenizer_config.h"

namespace deberta {
namespace {

[[noreturn]] void fail(const std::string& file, const std::string& message) {
  throw Error(ErrorCode::kTOKENIZER_FILE, file + ": " + message);
}

// "left right", both without a space.
std::pair<std::string, std::string> parse_merge(std::string_view line, const std::string& file, size_t number) {
  const size_t space = line.find(' ');
  if (space == 0 || space == std::string_view::npos || space + 1 == line.size() ||
      line.find(' ', space + 1) != std::string_view::npos) {
    fail(file, "line " + std::to_string(number) + ": expected two tokens and a space between them, found \"" +
                   printable(line) + "\"");
  }
  return {std::string(line.substr(0, space)), std::string(line.substr(space + 1))};
}

void parse_merges(std::string_view text, const std::string& file, BpeVocabulary& vocabulary) {
  for (size_t number = 1; !text.empty(); ++number) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.substr(0, 8) == "#version") continue;
    vocabulary.merges.push_back(parse_merge(line, file, number));
  }
}

std::string string_of(const PickleValue& value, const std::string& file, const char* where) {
  const auto text = value.as_string();
  if (!text) fail(file, std::string(where) + ": expected a string, found " + value.describe());
  return std::string(*text);
}

// A merge: the tuple (left, right), or "left right".
std::pair<std::string, std::string> merge_of(const PickleValue& value, const std::string& file, size_t number) {
  const PickleList* pair = value.as_sequence();
  if (pair == nullptr) return parse_merge(string_of(value, file, "vocab"), file, number);
  if (pair->size() != 2) fail(file, "vocab: expected pairs, found " + std::to_string(pair->size()) + " items");
  return {string_of((*pair)[0], file, "vocab"), string_of((*pair)[1], file, "vocab")};
}

const PickleValue& member(const PickleValue& root, const char* key, const std::string& file) {
  const PickleValue* value = root.as_dict() != nullptr ? root.find(key) : nullptr;
  if (value == nullptr) fail(file, std::string("expected a dict with the key \"") + key + "\"");
  return *value;
}

// GPT-2's ids, written as decimal strings, to tokens.
std::unordered_map<std::string, std::string> gpt2_tokens(const PickleValue& encoder, const std::string& file) {
  const PickleDict* dict = encoder.as_dict();
  if (dict == nullptr) fail(file, "encoder: expected a dict, found " + encoder.describe());
  std::unordered_map<std::string, std::string> tokens;
  for (const auto& [token, id] : *dict) {
    const auto integer = id.as_integer();
    if (!integer) fail(file, "encoder: expected integer ids, found " + id.describe());
    tokens[std::to_string(*integer)] = string_of(token, file, "encoder");
  }
  return tokens;
}

}  // namespace

BpeVocabulary read_vocab_and_merges(const std::string& vocab_path, const std::string& merges_path,
                                    const std::string& unk_token) {
  BpeVocabulary vocabulary;
  vocabulary.file = vocab_path;
  vocabulary.unk_token = unk_token;
  const JsonDocument document = read_json_file(vocab_path, tokenizer_json_options());
  for (const JsonMember& member : document.root_object().members()) {
    const int64_t id = document.expect_integer(member.value, member.key);
    if (id < 0 || id > INT32_MAX) document.fail(member.key, "the id " + std::to_string(id) + " is out of range");
    vocabulary.tokens.emplace_back(member.key, static_cast<int32_t>(id));
  }
  parse_merges(MappedFile::open(merges_path)->text(), merges_path, vocabulary);
  return vocabulary;
}

BpeVocabulary read_bpe_encoder(const std::string& path, const std::string& unk_token) {
  BpeVocabulary vocabulary;
  vocabulary.file = path;
  vocabulary.unk_token = unk_token;
  const PickleFile pickle = read_pickle_file(path, ErrorCode::kTOKENIZER_FILE);
  const auto tokens = gpt2_tokens(member(pickle.root, "encoder", path), path);

  const auto add = [&](std::string token) {
    vocabulary.tokens.emplace_back(std::move(token), static_cast<int32_t>(vocabulary.tokens.size()));
  };
  for (const char* token : {"[PAD]", "[CLS]", "[SEP]", "[UNK]"}) add(token);
  const PickleList* order = member(pickle.root, "dict_map", path).as_sequence();
  if (order == nullptr) fail(path, "dict_map: expected a list");
  for (const PickleValue& item : *order) {
    const PickleList* pair = item.as_sequence();
    if (pair == nullptr || pair->size() != 2) fail(path, "dict_map: expected pairs, found " + item.describe());
    const std::string symbol = string_of((*pair)[0], path, "dict_map");
    const auto token = tokens.find(symbol);
    add(token == tokens.end() ? symbol : token->second);  // fairseq's fillers ("madeupword0000") are in no vocabulary
  }
  add("[MASK]");

  const PickleValue& merges = member(pickle.root, "vocab", path);
  if (const auto text = merges.as_string()) {
    parse_merges(*text, path, vocabulary);
    return vocabulary;
  }
  const PickleList* list = merges.as_sequence();
  if (list == nullptr) fail(path, "vocab: expected a list of merges, found " + merges.describe());
  for (size_t i = 0; i < list->size(); ++i) vocabulary.merges.push_back(merge_of((*list)[i], path, i));
  return vocabulary;
}

}  // namespace deberta
