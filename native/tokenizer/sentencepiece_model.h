// What a SentencePiece model holds that encoding needs, and its reader from spm.model (sentencepiece_model.proto).
// tokenizer_json.h fills the same structure from tokenizer.json.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deberta {

enum class PieceType : uint8_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct SentencePieceModel {
  std::string file;  // what errors call it

  std::string text;              // the pieces, one after the other
  std::vector<uint32_t> ends;    // [pieces]: where each ends in text
  std::vector<float> scores;     // [pieces]: log probabilities
  std::vector<PieceType> types;  // [pieces]
  int32_t unk_id = -1;
  bool byte_fallback = false;

  std::string charsmap;  // precompiled_charsmap; empty: text is taken as it is
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;

  size_t size() const { return ends.size(); }

  std::string_view piece(size_t id) const {
    const size_t begin = id == 0 ? 0 : ends[id - 1];
    return std::string_view(text).substr(begin, ends[id] - begin);
  }

  /// Appends a piece and checks it: not empty, well-formed UTF-8 without NUL, shorter than 8000 bytes, finite score.
  /// Throws TOKENIZER_FILE.
  void add_piece(std::string_view piece, float score, PieceType type);

  /// What holds for a whole vocabulary: one unknown piece, all 256 byte pieces if byte_fallback. Throws TOKENIZER_FILE.
  void check() const;
};

/// Reads an spm.model of type unigram. Throws TOKENIZER_FILE: malformed bytes, other model types, suffix white space.
SentencePieceModel read_sentencepiece_model(std::string_view bytes, const std::string& file);

/// The byte of a piece like "<0x0A>", or -1.
int byte_of_piece(std::string_view piece);

}  // namespace deberta
