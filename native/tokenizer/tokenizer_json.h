// The part of Hugging Face's tokenizer.json that DeBERTa tokenizers use; everything else is refused by name.
//
// Unigram is read into the same structures as spm.model and run by the same code: the charsmap's longest match on bytes
// (Hugging Face's Precompiled looks at graphemes and code points, and differs on some decomposed text). Unknown
// characters follow the file: bytes if byte_fallback, else the unknown token.
#pragma once

#include <string>

#include "tokenizer/text_tokenizer.h"
#include "tokenizer/tokenizer_config.h"

namespace deberta {

/// Reads the model into `parts` (and its lower-casing and punctuation flags), the added tokens into `config`. Throws
/// FILE_NOT_FOUND, TOKENIZER_FILE.
void read_tokenizer_json(const std::string& path, TokenizerConfig& config, TokenizerParts& parts);

}  // namespace deberta
