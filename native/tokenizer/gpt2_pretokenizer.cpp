// The alternatives of the expression in their order; only white space needs to look behind itself.
#include "tokenizer/gpt2_pretokenizer.h"

#include <array>

#include "tokenizer/unicode_classes.h"

namespace deberta {
namespace {

enum class Kind : unsigned char { kLetter, kNumber, kSpace, kOther };

constexpr std::array<Kind, 128> kAscii = [] {
  std::array<Kind, 128> kinds{};
  for (unsigned c = 0; c < 128; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool number = c >= '0' && c <= '9', space = c == ' ' || (c >= 9 && c <= 13);
    kinds[c] = letter ? Kind::kLetter : number ? Kind::kNumber : space ? Kind::kSpace : Kind::kOther;
  }
  return kinds;
}();

Kind kind_of(char32_t code_point) {
  switch (char_class(code_point)) {
    case CharClass::kLetter:
      return Kind::kLetter;
    case CharClass::kNumber:
      return Kind::kNumber;
    case CharClass::kWhiteSpace:
      return Kind::kSpace;
    default:
      return Kind::kOther;
  }
}

struct Character {
  Kind kind;
  size_t length;  // bytes
};

Character character_at(const char* p) {
  const auto byte = static_cast<unsigned char>(*p);
  if (byte < 128) return {kAscii[byte], 1};
  const CodePoint c = decode_utf8(p);
  return {kind_of(c.value), c.length};
}

// Length of "'s", "'re", ... at the start of the text, or 0.
size_t contraction_length(std::string_view text) {
  if (text.size() < 2 || text[0] != '\'') return 0;
  const char c = text[1];
  if (c == 's' || c == 't' || c == 'm' || c == 'd') return 2;
  const std::string_view two = text.substr(1, 2);
  return two == "re" || two == "ve" || two == "ll" ? 3 : 0;
}

size_t run_end(std::string_view text, size_t from, Kind kind) {
  while (from < text.size()) {
    const Character c = character_at(text.data() + from);
    if (c.kind != kind) break;
    from += c.length;
  }
  return from;
}

// \s+(?!\S) keeps the last white space for the word that follows, unless it is the only one or nothing follows.
size_t white_space_length(std::string_view text) {
  size_t end = 0, last = 0;
  while (end < text.size()) {
    const Character c = character_at(text.data() + end);
    if (c.kind != Kind::kSpace) return last > 0 ? last : end;
    last = end;
    end += c.length;
  }
  return end;
}

}  // namespace

size_t gpt2_word_length(std::string_view text) {
  if (const size_t length = contraction_length(text); length > 0) return length;
  const Character first = character_at(text.data());
  if (first.kind != Kind::kSpace) return run_end(text, first.length, first.kind);
  if (text[0] == ' ' && text.size() > 1) {
    const Character second = character_at(text.data() + 1);
    if (second.kind != Kind::kSpace) return run_end(text, 1 + second.length, second.kind);
  }
  return white_space_length(text);
}

}  // namespace deberta
