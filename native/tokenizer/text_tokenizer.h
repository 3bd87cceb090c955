// The one Tokenizer: a model (unigram or byte-level BPE), its added tokens, and the steps around them. Made by
// tokenizer_files.h.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "tokenizer/added_tokens.h"
#include "tokenizer/byte_level_bpe.h"
#include "tokenizer/sentencepiece_unigram.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/utf16.h"

namespace deberta {

/// What a tokenizer is made of.
struct TokenizerParts {
  std::unique_ptr<const SentencePieceUnigram> unigram;  // one of the two is there
  std::unique_ptr<const ByteLevelBpe> bpe;
  AddedTokens added;
  SpecialTokens special;
  bool do_lower_case = false;   // unigram only
  bool split_by_punct = false;  // unigram only
  bool truncate_left = false;
  int64_t model_max_length = 0;
};

class TextTokenizer final : public Tokenizer {
 public:
  explicit TextTokenizer(TokenizerParts parts) : parts_(std::move(parts)) {}

  std::vector<Encoding> encode(std::u16string_view text, const std::u16string_view* text_pair,
                               const EncodeOptions& options) const override;
  std::string decode(const int32_t* ids, size_t count, bool skip_special_tokens) const override;
  std::string id_to_token(int32_t id) const override;
  int32_t token_to_id(std::string_view token) const override;
  int64_t vocab_size() const override;
  const SpecialTokens& special_tokens() const override { return parts_.special; }
  bool is_special(int32_t id) const override;
  int64_t num_special_tokens(bool pair) const override { return pair ? 3 : 2; }
  int64_t model_max_length() const override { return parts_.model_max_length; }
  const char* algorithm() const override { return parts_.unigram ? "unigram" : "byte-level-bpe"; }

 private:
  /// Everything one call of encode works in. Pooled: buffers and word cache stay warm from text to text.
  struct Scratch {
    Utf8Transcoder transcoder, lower_transcoder;
    UnigramScratch unigram;
    BpeScratch bpe;
    TokenStream first, second;
  };
  class Lease;

  void tokenize(std::u16string_view text, AddedTokenScope scope, Scratch& scratch, TokenStream& out) const;
  void encode_segment(const Utf8Text& text, size_t begin, size_t end, Scratch& scratch, TokenStream& out) const;
  void encode_lower_case(const Utf8Text& text, size_t begin, size_t end, Scratch& scratch, TokenStream& out) const;
  void encode_words(const Utf8Text& text, size_t begin, size_t end, Scratch& scratch, TokenStream& out) const;
  void encode_model(const Utf8Text& text, size_t begin, size_t end, Scratch& scratch, TokenStream& out) const;
  int64_t model_size() const;
  bool model_has(int32_t id) const;
  void check_id(int32_t id) const;

  TokenizerParts parts_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Scratch>> idle_;
};

}  // namespace deberta
