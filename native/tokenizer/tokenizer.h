// Text to token ids and back, with offsets. Holds the algorithm (SentencePiece unigram or byte-level BPE), the added
// tokens and the pair template "[CLS] A [SEP] B [SEP]"; immutable after loading, so any number of threads may share it.
// Many texts at once: encode_batch.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace deberta {

enum class Truncation : uint8_t { kNone, kLongestFirst, kOnlyFirst, kOnlySecond };

struct EncodeOptions {
  bool add_special_tokens = true;
  bool parse_special_tokens = false;  // "[CLS]", "[MASK]", ... in the text mean the tokens. Never for untrusted text
  bool allow_mask = false;            // only the mask token is recognised in the text (fill-mask)
  int64_t max_length = 0;             // 0: no limit; counts special tokens
  Truncation truncation = Truncation::kNone;
  bool return_windows = false;  // every window of a text that is too long, in order; no token is lost
  int64_t stride = 0;  // tokens that neighbouring windows share (Hugging Face's name for it); with return_windows
  bool offsets = false;
};

/// What a text became. One Encoding per window; without windows there is one.
struct Encoding {
  std::vector<int32_t> input_ids;       // [n]
  std::vector<int32_t> token_type_ids;  // [n]: 0 for "[CLS] A [SEP]", 1 for "B [SEP]"
  std::vector<int32_t> offsets;      // [n, 2]: [start, end) in UTF-16 units of its text; (0, 0) for special tokens of
                                     // the template. Empty unless EncodeOptions::offsets
  std::vector<int8_t> sequence_ids;  // [n]: 0 first text, 1 second text, -1 special token of the template
  int64_t truncated_tokens = 0;      // tokens of the texts that are in no window
};

struct SpecialTokens {
  int32_t pad = -1, cls = -1, sep = -1, unk = -1, mask = -1;  // -1: the tokenizer has none
};

/// Which file defines the tokenizer when a folder has several.
enum class TokenizerSource : uint8_t {
  kAuto,  // spm.model (the original, exact), else tokenizer.json, else vocab.json + merges.txt, else bpe_encoder.bin
  kTokenizerJson,  // tokenizer.json, whatever else is there
};

/// The longest text that can be encoded, in UTF-16 units; longer ones throw INVALID_ARGUMENT.
inline constexpr size_t kMaxTextUnits = size_t{1} << 28;

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// Reads the tokenizer of a folder: the file TokenizerSource says, with tokenizer_config.json,
  /// special_tokens_map.json and added_tokens.json where they are. Throws FILE_NOT_FOUND, TOKENIZER_FILE.
  static std::shared_ptr<const Tokenizer> load(const std::string& directory,
                                               TokenizerSource source = TokenizerSource::kAuto);

  /// One text or a pair, given as UTF-16 (lone surrogates become U+FFFD). `text_pair` null: a single text.
  ///
  /// Added tokens that are words (not special) are always recognised in the text; special tokens only as the options
  /// say. The text is split at them, and each part between them is encoded as if it stood alone: "x[MASK]y" gives
  /// ▁x [MASK] ▁y, as Microsoft's and Hugging Face's tokenizers do.
  ///
  /// Truncation: longest_first cuts the longer text until both are equally long, then both (Hugging Face's fast
  /// tokenizers: an odd token stays with the longer); only_first and only_second leave at least one token.
  /// Windows run over the first text, or over the second with kOnlySecond; a pair must say which.
  ///
  /// Throws SEQUENCE_TOO_LONG when the result exceeds max_length and neither truncation nor windows can shorten it,
  /// INVALID_ARGUMENT when the options contradict each other.
  virtual std::vector<Encoding> encode(std::u16string_view text, const std::u16string_view* text_pair,
                                       const EncodeOptions& options) const = 0;

  /// Token ids to text (UTF-8): byte pieces joined, malformed bytes as U+FFFD, special tokens by name unless skipped.
  /// Throws INVALID_ARGUMENT for an id that is no token.
  virtual std::string decode(const int32_t* ids, size_t count, bool skip_special_tokens) const = 0;

  /// The piece of an id as the vocabulary has it ("▁the", "Ġthe"), UTF-8. Throws INVALID_ARGUMENT.
  virtual std::string id_to_token(int32_t id) const = 0;

  /// The id of a piece, or -1.
  virtual int32_t token_to_id(std::string_view token) const = 0;

  virtual int64_t vocab_size() const = 0;  // highest id + 1
  virtual const SpecialTokens& special_tokens() const = 0;
  virtual bool is_special(int32_t id) const = 0;            // what decode skips
  virtual int64_t num_special_tokens(bool pair) const = 0;  // of the template: 2, or 3 for a pair
  virtual int64_t model_max_length() const = 0;             // of tokenizer_config.json; 0: none stated
  virtual const char* algorithm() const = 0;                // "unigram", "byte-level-bpe"
};

}  // namespace deberta
