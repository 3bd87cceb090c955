// One tokenizer per folder and process, however many models and tokenizers are loaded from it: v3's takes 8 MB.
#pragma once

#include <memory>
#include <string>

#include "base/cancel.h"
#include "tokenizer/tokenizer.h"

namespace deberta {

/// The tokenizer of `directory`: the one that lives if the folder's files are unchanged (names, sizes, times), else a
/// new one. Throws what Tokenizer::load throws, and ABORTED. Thread-safe.
std::shared_ptr<const Tokenizer> find_or_load_tokenizer(const std::string& directory, const CancelToken& cancel);

}  // namespace deberta
