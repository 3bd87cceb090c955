// The little UTF-8 that file formats need: checking, encoding, and quoting foreign text in error messages.
// Normalisation and UTF-16 offsets are the tokenizer's.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace deberta {

/// Bytes of the well-formed UTF-8 sequence that `text` starts with (1 to 4; no overlong forms, no surrogates), else 0.
size_t utf8_sequence_length(std::string_view text);

/// Whether the whole text is well-formed.
bool is_utf8(std::string_view text);

/// Appends the code point, which must be a Unicode scalar value.
void append_utf8(std::string& out, char32_t code_point);

/// Text of a file made fit for an error message: control characters and malformed bytes as \xNN, at most `limit` bytes.
std::string printable(std::string_view text, size_t limit = 80);

}  // namespace deberta
