// Goldens: files of one JSON object a line, {"text", "ids", "tokens", "offsets"}, and the folders they lie in.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace deberta {

struct GoldenLine {
  std::string text;          // UTF-8
  std::vector<int32_t> ids;  // without special tokens
  std::vector<std::string> tokens;
  std::vector<int32_t> offsets;  // [n, 2] in UTF-16 units
};

std::vector<GoldenLine> read_golden(const std::string& path);

/// Lines of a golden whose ids, tokens or offsets differ from what the tokenizer gives; says which.
int count_differences(const Tokenizer& tokenizer, const std::vector<GoldenLine>& golden);

std::u16string to_utf16(std::string_view utf8);

/// A folder of committed fixtures, "tokenizers/bpe-2k".
std::string fixture(const std::string& name);

/// A folder of this repository, "models/deberta-mini-en".
std::string in_repository(const std::string& name);

/// A folder of external fixtures: data that may not be committed, found by DEBERTA_SHARED_FIXTURES or beside the
/// repository. Nothing when it is not here, which the caller says aloud.
std::optional<std::string> external_fixture(const std::string& name);

/// The ids of a text without special tokens.
std::vector<int32_t> ids_of(const Tokenizer& tokenizer, std::u16string_view text);

}  // namespace deberta
