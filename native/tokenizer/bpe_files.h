// The files of a byte-level BPE vocabulary, without checks of their meaning (ByteLevelBpe makes them).
#pragma once

#include <string>

#include "tokenizer/byte_level_bpe.h"

namespace deberta {

/// vocab.json ({token: id}) and merges.txt (one "left right" a line, comments "#version" first). Throws FILE_NOT_FOUND,
/// TOKENIZER_FILE.
BpeVocabulary read_vocab_and_merges(const std::string& vocab_path, const std::string& merges_path,
                                    const std::string& unk_token);

/// Microsoft's bpe_encoder.bin: a pickled dict of "encoder" {token: GPT-2 id}, "vocab" [(left, right)] (the merges) and
/// "dict_map" [(GPT-2 id, count)], the order of DeBERTa's ids after [PAD] [CLS] [SEP] [UNK]; [MASK] comes last. Throws
/// FILE_NOT_FOUND, TOKENIZER_FILE.
BpeVocabulary read_bpe_encoder(const std::string& path, const std::string& unk_token);

}  // namespace deberta
