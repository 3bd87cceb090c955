// Leftmost-longest search with one trie per scope. See added_tokens.h.
#include "tokenizer/added_tokens.h"

#include "base/error.h"
#include "io/utf8.h"
#include "tokenizer/unicode_classes.h"

namespace deberta {
namespace {

constexpr size_t kMaxContent = 1024;  // bytes; bounds the work at each position of a text

bool is_word_character(char32_t c) {
  const CharClass char_class_of_c = char_class(c);
  return c == '_' || char_class_of_c == CharClass::kLetter || char_class_of_c == CharClass::kNumber ||
         char_class_of_c == CharClass::kMark;
}

bool is_space(char32_t c) { return char_class(c) == CharClass::kWhiteSpace; }

// Start of the character that ends at `end`, which must not be 0.
size_t previous_character(std::string_view text, size_t end) {
  size_t begin = end - 1;
  while (begin > 0 && is_utf8_continuation(text[begin])) --begin;
  return begin;
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  if (begin > 0 && is_word_character(decode_utf8(&text[previous_character(text, begin)]).value)) return false;
  return end == text.size() || !is_word_character(decode_utf8(&text[end]).value);
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, int32_t mask_id, const std::string& file)
    : tokens_(std::move(tokens)) {
  std::vector<PieceTrie::Entry> entries[3];
  for (size_t i = 0; i < tokens_.size(); ++i) {
    const AddedToken& token = tokens_[i];
    const auto refuse = [&](const std::string& why) {
      throw Error(ErrorCode::kTOKENIZER_FILE, file + ": the added token \"" + printable(token.content) + "\" " + why);
    };
    if (token.content.empty() || token.content.size() > kMaxContent || !is_utf8(token.content)) {
      refuse("is not UTF-8 text of 1 to 1024 bytes");
    }
    if (token.id < 0 || token.id == INT32_MAX) refuse("has the id " + std::to_string(token.id));
    if (const auto [other, inserted] = by_id_.emplace(token.id, i); !inserted) {
      refuse("has the id " + std::to_string(token.id) + " of \"" + printable(tokens_[other->second].content) + "\"");
    }
    const PieceTrie::Entry entry(token.content, static_cast<int32_t>(i));
    if (!token.special) entries[0].push_back(entry);
    if (!token.special || token.id == mask_id) entries[1].push_back(entry);
    entries[2].push_back(entry);
  }
  for (size_t scope = 0; scope < 3; ++scope) tries_[scope] = PieceTrie(entries[scope], file);
}

bool AddedTokens::find(std::string_view text, size_t from, AddedTokenScope scope, Match& match) const {
  const PieceTrie& trie = tries_[static_cast<size_t>(scope)];
  for (size_t begin = from; begin < text.size(); ++begin) {
    if (trie.step(PieceTrie::kRoot, static_cast<unsigned char>(text[begin])) == PieceTrie::kNone) continue;
    const PieceTrie::Match found = trie.longest_match(text.substr(begin));
    if (found.length == 0) continue;
    const AddedToken& token = tokens_[static_cast<size_t>(found.value)];
    const size_t end = begin + found.length;
    if (token.single_word && !stands_alone(text, begin, end)) continue;
    match = {begin, end, begin, end, token.id};
    while (token.lstrip && match.begin > from) {
      const size_t previous = previous_character(text, match.begin);
      if (previous < from || !is_space(decode_utf8(&text[previous]).value)) break;
      match.begin = previous;
    }
    while (token.rstrip && match.end < text.size()) {
      const CodePoint next = decode_utf8(&text[match.end]);
      if (!is_space(next.value)) break;
      match.end += next.length;
    }
    return true;
  }
  return false;
}

const AddedToken* AddedTokens::by_id(int32_t id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

const AddedToken* AddedTokens::by_content(std::string_view content) const {
  const int32_t index = tries_[2].find(content);
  return index < 0 ? nullptr : &tokens_[static_cast<size_t>(index)];
}

}  // namespace deberta
