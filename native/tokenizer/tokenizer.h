// Text to token ids and back, with offsets. Holds the algorithm (SentencePiece unigram or byte-level BPE), the added tokens
// and the pair template "[CLS] A [SEP] B [SEP]"; immutable after loading, so any number of threads may share it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.h"

namespace deberta {

enum class Truncation : uint8_t { kNone, kLongestFirst, kOnlyFirst, kOnlySecond };

struct EncodeOptions {
  bool add_special_tokens = true;
  bool parse_special_tokens = false;  // whether "[MASK]" in the text means the token; see allow_mask
  bool allow_mask = false;            // only the mask token is recognised in text (fill-mask)
  int64_t max_length = 0;             // 0: no limit; counts special tokens
  Truncation truncation = Truncation::kNone;
  int64_t stride = 0;            // tokens that neighbouring windows share; with return_windows
  bool return_windows = false;   // all windows of a text that is too long, in order; no token is lost
  bool offsets = false;
};

/// What a text became. One Encoding per window; without windows there is one.
struct Encoding {
  std::vector<int32_t> input_ids;            // [n]
  std::vector<int32_t> token_type_ids;       // [n]: 0 for "[CLS] A [SEP]", 1 for "B [SEP]"
  std::vector<int32_t> offsets;              // [n, 2]: [start, end) in UTF-16 units of its text; (0, 0) for special tokens
  std::vector<int8_t> sequence_ids;          // [n]: 0 first text, 1 second text, -1 special token
  int64_t truncated_tokens = 0;              // tokens of the text that are in no window
};

struct SpecialTokens {
  int32_t pad = -1, cls = -1, sep = -1, unk = -1, mask = -1;  // -1: the tokenizer has none
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Reads the tokenizer of a folder: spm.model, or tokenizer.json, or vocab.json + merges.txt, or bpe_encoder.bin, with
  /// tokenizer_config.json, special_tokens_map.json and added_tokens.json where they are. Throws FILE_NOT_FOUND,
  /// TOKENIZER_FILE.
  static std::shared_ptr<const Tokenizer> load(const std::string& directory);

  /// One text or a pair, given as UTF-16 (lone surrogates become U+FFFD). Throws SEQUENCE_TOO_LONG when it exceeds
  /// max_length and neither truncation nor windows were asked for, INVALID_ARGUMENT when the options contradict each other.
  virtual std::vector<Encoding> encode(std::u16string_view text, const std::u16string_view* text_pair,
                                       const EncodeOptions& options) const = 0;

  /// Token ids to text (UTF-8). Throws INVALID_ARGUMENT for an id out of range.
  virtual std::string decode(const int32_t* ids, size_t count, bool skip_special_tokens) const = 0;

  /// The piece of an id as the vocabulary has it ("▁the", "Ġthe"), UTF-8. Throws INVALID_ARGUMENT.
  virtual std::string id_to_token(int32_t id) const = 0;

  /// The id of a piece, or -1.
  virtual int32_t token_to_id(std::string_view token) const = 0;

  virtual int64_t vocab_size() const = 0;                      // highest id + 1
  virtual const SpecialTokens& special_tokens() const = 0;
  virtual int64_t model_max_length() const = 0;                // of tokenizer_config.json; 0: none stated
  virtual const char* algorithm() const = 0;                   // "unigram", "byte-level-bpe"
};

}  // namespace deberta
