// From the files of a folder to a tokenizer: which file counts, and which id every special token has.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/text_tokenizer.h"
#include "tokenizer/tokenizer_config.h"

namespace deberta {

/// Settles added and special tokens against the model: roles get their ids from the files or the vocabulary, [MASK] and
/// other declared tokens that both lack get the next free ids. Throws TOKENIZER_FILE when [CLS] or [SEP] have none, or
/// an added token's id belongs to another piece.
void resolve_added_tokens(const TokenizerConfig& config, TokenizerParts& parts);

}  // namespace deberta
