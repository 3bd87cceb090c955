// The words that GPT-2 splits text into before byte-pair encoding:
//   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
// by hand, over well-formed UTF-8, in one pass.
#pragma once

#include <cstddef>
#include <string_view>

namespace deberta {

/// Bytes of the first word of `text`, which must not be empty; at least one character.
size_t gpt2_word_length(std::string_view text);

}  // namespace deberta
