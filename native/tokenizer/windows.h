// Which tokens of a text or a pair go into which window: truncation, overlap, and the errors of both. Counts only.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace deberta {

struct TokenRange {
  size_t begin, end;
  size_t size() const { return end - begin; }
};

struct Window {
  TokenRange first, second;  // second is empty for a single text
};

/// `first`, `second`: tokens of the texts; second empty for a single text. `specials`: tokens that the template adds to
/// every window. `truncate_left` keeps the ends of texts instead of their starts. See Tokenizer::encode for the rules.
/// Throws SEQUENCE_TOO_LONG, INVALID_ARGUMENT.
std::vector<Window> plan_windows(size_t first, std::optional<size_t> second, size_t specials, bool truncate_left,
                                 const EncodeOptions& options);

}  // namespace deberta
