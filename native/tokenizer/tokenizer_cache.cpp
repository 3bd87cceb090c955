#include "tokenizer/tokenizer_cache.h"

#include "base/shared_by_key.h"
#include "io/folder_signature.h"

namespace deberta {

std::shared_ptr<const Tokenizer> find_or_load_tokenizer(const std::string& directory, const CancelToken& cancel) {
  static auto& tokenizers = *new SharedByKey<Tokenizer>();  // never destroyed: threads may outlive main
  return tokenizers.find_or_make(folder_signature(directory, {".json", ".model", ".txt", ".bin"}), cancel,
                                 [&] { return Tokenizer::load(directory); });
}

}  // namespace deberta
