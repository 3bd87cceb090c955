// Many texts at once on the process's thread pool.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "base/cancel.h"
#include "tokenizer/tokenizer.h"

namespace deberta {

/// A text, or a pair of texts; views, the caller keeps the memory.
struct TextInput {
  std::u16string_view text;
  std::optional<std::u16string_view> text_pair;
};

/// tokenizer.encode of every input, in order: [inputs], each with its windows. Work is shared by text length, so that
/// one long text holds up no other. `threads` 0: all of the pool. Throws what encode throws (of the first input that
/// failed, the message naming its index) and ABORTED.
std::vector<std::vector<Encoding>> encode_batch(const Tokenizer& tokenizer, const std::vector<TextInput>& inputs,
                                                const EncodeOptions& options, const CancelToken& cancel,
                                                int threads = 0);

}  // namespace deberta
