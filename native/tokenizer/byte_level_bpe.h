// Byte-level BPE (GPT-2, DeBERTa v1): words of gpt2_pretokenizer.h, their bytes merged pair by pair in the order of
// merges.txt. Vocabularies write bytes as printable characters ("Ġ" is a space).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/scratch_buffer.h"
#include "tokenizer/token_stream.h"

namespace deberta {

/// What the files say, before it is checked.
struct BpeVocabulary {
  std::string file;                                         // what errors call it
  std::vector<std::pair<std::string, int32_t>> tokens;      // as the vocabulary writes them, with ids
  std::vector<std::pair<std::string, std::string>> merges;  // in order of rank
  std::string unk_token;                                    // for bytes without a token; may be empty
};

/// Working space of one encoding, and a cache of short words: direct-mapped, of fixed size, for one tokenizer only.
class BpeScratch {
 public:
  struct Symbol {
    int32_t id;         // token, or -1 for a byte without one
    uint32_t previous;  // neighbours in the word; kNone at its ends
    uint32_t next;
  };

  struct Candidate {
    uint32_t rank;
    uint32_t position;    // of the left symbol
    int32_t left, right;  // what stood there when the candidate was made; a mismatch makes it void

    bool operator<(const Candidate& other) const {  // for a heap with the lowest rank, then the leftmost, on top
      return rank != other.rank ? rank > other.rank : position > other.position;
    }
  };

  static constexpr uint32_t kNone = UINT32_MAX;

  void trim(size_t limit);

 private:
  friend class ByteLevelBpe;
  static constexpr size_t kMaxKey = 23, kMaxIds = 9, kSlots = 1u << 14;

  struct Key {
    uint64_t words[3] = {};  // length, then the bytes, zero at the end
    bool operator==(const Key&) const = default;
  };

  struct Slot {  // 64 bytes
    Key key;
    int32_t count = 0;
    int32_t ids[kMaxIds] = {};
  };

  std::vector<Slot> slots_;  // [kSlots] once used: 1 MiB
  ScratchBuffer<Symbol> symbols_;
  std::vector<Candidate> heap_;
  std::vector<int32_t> word_ids_;
  std::string prefixed_;
};

class ByteLevelBpe {
 public:
  /// Throws TOKENIZER_FILE: tokens that are no byte text, ids or tokens that occur twice, merges of unknown tokens.
  ByteLevelBpe(const BpeVocabulary& vocabulary, bool add_prefix_space);
  ByteLevelBpe(const ByteLevelBpe&) = delete;
  ByteLevelBpe& operator=(const ByteLevelBpe&) = delete;

  /// Appends the tokens of bytes [begin, end) of `text`.
  void encode(const Utf8Text& text, size_t begin, size_t end, BpeScratch& scratch, TokenStream& out) const;

  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }  // highest id + 1
  bool has(int32_t id) const { return !tokens_[static_cast<size_t>(id)].empty(); }
  std::string_view token(int32_t id) const { return tokens_[static_cast<size_t>(id)]; }
  int32_t find(std::string_view token) const;

  /// Appends the bytes that an id stands for.
  void append_decoded(int32_t id, std::string& out) const { out += bytes_[static_cast<size_t>(id)]; }

 private:
  struct Merge {
    uint64_t pair;  // left << 32 | right; kNoPair: an empty slot
    uint32_t rank;
    int32_t id;
  };

  void read_tokens(const BpeVocabulary& vocabulary);
  void read_merges(const BpeVocabulary& vocabulary);
  const Merge* find_merge(int32_t left, int32_t right) const;
  void encode_word(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& ids) const;
  void merge_word(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& ids) const;
  void merge_short(std::string_view word, std::vector<int32_t>& ids) const;
  void merge_long(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& ids) const;
  int32_t output_id(int32_t symbol) const { return symbol < 0 ? unk_id_ : symbol; }
  size_t byte_length(int32_t id) const { return id == unk_id_ ? 1 : bytes_[static_cast<size_t>(id)].size(); }

  std::string file_;
  std::vector<std::string> tokens_;  // [size()] as the vocabulary writes them; empty: no token
  std::vector<std::string> bytes_;   // [size()] what they stand for
  std::unordered_map<std::string_view, int32_t> ids_;
  std::vector<Merge> merges_;  // open addressing, a power of two
  int32_t byte_symbols_[256];  // the token of each byte, or -1
  int32_t unk_id_ = -1;
  bool add_prefix_space_;
};

}  // namespace deberta
