// SentencePiece's unigram model: the most probable segmentation of normalised text (Viterbi), with SentencePiece's
// rounding and tie-breaking, unknown characters as byte pieces or merged into one unknown token.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/piece_trie.h"
#include "tokenizer/sentencepiece_model.h"
#include "tokenizer/sentencepiece_normalizer.h"
#include "tokenizer/token_stream.h"

namespace deberta {

/// Working space of one encoding.
struct UnigramScratch {
  /// The best path that ends at a byte of the normalised text.
  struct Node {
    float score;
    int32_t piece;
    uint32_t start;  // where its last piece starts, from the same base as the node; kNoPath: no path yet
  };

  NormalizedText normalized;
  ScratchBuffer<Node> nodes;
  ScratchBuffer<uint32_t> path;

  void trim(size_t limit);
};

class SentencePieceUnigram {
 public:
  /// Throws TOKENIZER_FILE.
  explicit SentencePieceUnigram(SentencePieceModel model);
  SentencePieceUnigram(const SentencePieceUnigram&) = delete;  // rest_ points into model_
  SentencePieceUnigram& operator=(const SentencePieceUnigram&) = delete;

  /// Appends the tokens of bytes [begin, end) of `text`, encoded as a text of its own.
  void encode(const Utf8Text& text, size_t begin, size_t end, UnigramScratch& scratch, TokenStream& out) const;

  size_t size() const { return model_.size(); }
  std::string_view piece(int32_t id) const { return model_.piece(static_cast<size_t>(id)); }
  int32_t find(std::string_view piece) const;  // -1: none
  int32_t unk_id() const { return model_.unk_id; }
  PieceType type(int32_t id) const { return model_.types[static_cast<size_t>(id)]; }

  /// Appends what an id stands for: text with spaces for ▁, or the byte of a byte piece.
  void append_decoded(int32_t id, std::string& out) const;

  /// Whether decoding drops the space that a text starts with.
  bool has_dummy_prefix() const { return model_.add_dummy_prefix || model_.remove_extra_whitespaces; }

 private:
  class Walk;

  SentencePieceModel model_;
  SentencePieceNormalizer normalizer_;
  PieceTrie trie_;                                      // pieces that text can give, in the inner form
  std::unordered_map<std::string_view, int32_t> rest_;  // all other pieces
  std::vector<float> user_scores_;                      // [pieces] for user-defined pieces, else empty
  float unk_score_ = 0;
  int32_t byte_ids_[256] = {};
};

}  // namespace deberta
