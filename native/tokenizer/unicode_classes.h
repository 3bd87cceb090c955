// Character classes and lower-casing of Unicode 16.0.0 (the version of Hugging Face's tokenizers), and the little UTF-8
// that walks over text known to be well-formed. The tables are generated: tools/generate_unicode_tables.mjs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deberta {

enum class CharClass : uint8_t { kOther, kLetter, kNumber, kPunctuation, kMark, kWhiteSpace };

/// General category L, N, P or M, or the property White_Space.
CharClass char_class(char32_t code_point);

/// White_Space, for a UTF-16 unit: every such character is in the basic plane.
bool is_white_space(char16_t unit);

/// The simple lower-case form. U+0130 (whose full form is two characters) gives 'i'.
char32_t lower_case(char32_t code_point);

/// What split_by_punct splits at: category P, and the ASCII symbols.
bool is_split_punctuation(char32_t code_point);

/// Bytes that a UTF-8 sequence has by its first byte (continuation bytes count as 1).
inline size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

inline bool is_utf8_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

struct CodePoint {
  char32_t value;
  size_t length;  // bytes
};

/// The code point that well-formed UTF-8 starts with.
inline CodePoint decode_utf8(const char* p) {
  const auto byte = [p](int i) { return static_cast<char32_t>(static_cast<unsigned char>(p[i])); };
  const auto tail = [&](int i) { return byte(i) & 0x3F; };
  if (byte(0) < 0x80) return {byte(0), 1};
  if (byte(0) < 0xE0) return {(byte(0) & 0x1F) << 6 | tail(1), 2};
  if (byte(0) < 0xF0) return {(byte(0) & 0x0F) << 12 | tail(1) << 6 | tail(2), 3};
  return {(byte(0) & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3), 4};
}

}  // namespace deberta
