// Tokens of texts into the template "[CLS] A [SEP] B [SEP]", window by window.
#pragma once

#include <vector>

#include "tokenizer/token_stream.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/windows.h"

namespace deberta {

/// One Encoding per window of plan_windows. `second` null: a single text.
std::vector<Encoding> assemble(const TokenStream& first, const TokenStream* second, const SpecialTokens& special,
                               bool truncate_left, const EncodeOptions& options);

}  // namespace deberta
