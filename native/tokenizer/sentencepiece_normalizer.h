// SentencePiece's normalisation: charsmap, dummy prefix, extra white space, white space as ▁; with the way back.
//
// Inside this room ▁ is written as one byte, a space (real spaces are all turned into ▁, so none is left): shorter
// text, shallower trie. Models with escape_whitespaces = false keep spaces as they are, and ▁ is a character like any
// other.
#pragma once

#include <string_view>

#include "tokenizer/charsmap.h"
#include "tokenizer/piece_trie.h"
#include "tokenizer/scratch_buffer.h"
#include "tokenizer/sentencepiece_model.h"
#include "tokenizer/utf16.h"

namespace deberta {

/// A normalised segment. `origin[i]`: byte of the text that byte i came from; origin[size] ends the last one.
struct NormalizedText {
  ScratchBuffer<char> bytes;       // [size]
  ScratchBuffer<uint32_t> origin;  // [size + 1], only with offsets
  size_t size = 0;
};

class SentencePieceNormalizer {
 public:
  /// Throws TOKENIZER_FILE for a malformed charsmap.
  explicit SentencePieceNormalizer(const SentencePieceModel& model);

  /// Normalises bytes [begin, end) of `text`, as SentencePiece does a sentence.
  void normalize(const Utf8Text& text, size_t begin, size_t end, bool offsets, NormalizedText& out) const;

  /// A piece or text in the inner form: ▁ as one space.
  std::string inner_form(std::string_view piece) const;

  /// Whether a piece, in the file's form, can occur in normalised text at all.
  bool reachable(std::string_view piece) const { return !escape_ || piece.find(' ') == std::string_view::npos; }

 private:
  struct Prefix {
    std::string_view replacement;
    size_t length;  // bytes of the text
  };

  template <bool kOffsets>
  struct Writer;

  template <bool kOffsets>
  void run(const char* text, size_t begin, size_t end, NormalizedText& out) const;
  Prefix normalize_prefix(std::string_view text) const;

  Charsmap charsmap_;
  PieceTrie user_defined_;  // pieces that are matched before anything is replaced
  bool escape_, dummy_prefix_, remove_extra_;
  bool copied_ascii_[256];  // whether the character is copied when ASCII follows it
};

}  // namespace deberta
