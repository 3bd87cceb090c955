// Follows SentencePiece 0.2.2 to the rounding, which decides between equally probable paths ("00" + "0" or "0" + "00"):
// scores of paths are float32, a later candidate must be strictly better, and scores start anew from 0 where a path has
// fallen below -100,000, which keeps long texts precise. (The last was found by experiment: texts of up to 400,000
// characters agree with it and differ without it.)
#include "tokenizer/sentencepiece_unigram.h"

#include <algorithm>
#include <cfloat>

#include "base/error.h"
#include "io/utf8.h"
#include "tokenizer/unicode_classes.h"

namespace deberta {
namespace {

constexpr uint32_t kNoPath = UINT32_MAX;
constexpr float kRebaseBelow = -100000.0f;
constexpr float kUnkPenalty = 10.0f;  // below the least probable piece
constexpr char kInnerSpace = ' ';
constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";

using Node = UnigramScratch::Node;

}  // namespace

void UnigramScratch::trim(size_t limit) {
  normalized.bytes.trim(limit);
  normalized.origin.trim(limit);
  nodes.trim(limit);
  path.trim(limit);
}

SentencePieceUnigram::SentencePieceUnigram(SentencePieceModel model) : model_(std::move(model)), normalizer_(model_) {
  float min_score = FLT_MAX, max_score = FLT_MIN;  // SentencePiece's initial values
  for (size_t id = 0; id < model_.size(); ++id) {
    if (model_.types[id] != PieceType::kNormal) continue;
    min_score = std::min(min_score, model_.scores[id]);
    max_score = std::max(max_score, model_.scores[id]);
  }
  unk_score_ = min_score - kUnkPenalty;

  std::string inner_text;                        // the keys of the trie, one after the other
  std::vector<std::pair<size_t, int32_t>> keys;  // end in inner_text, id
  for (size_t i = 0; i < model_.size(); ++i) {
    const auto id = static_cast<int32_t>(i);
    const PieceType type = model_.types[i];
    const std::string_view piece = model_.piece(i);
    if (type == PieceType::kByte) byte_ids_[byte_of_piece(piece)] = id;
    const bool encodes = type == PieceType::kNormal || type == PieceType::kUserDefined;
    if (encodes && normalizer_.reachable(piece)) {
      inner_text += normalizer_.inner_form(piece);
      keys.emplace_back(inner_text.size(), id);
    } else if (!rest_.emplace(piece, id).second) {
      throw Error(ErrorCode::kTOKENIZER_FILE, model_.file + ": the piece \"" + printable(piece) + "\" occurs twice");
    }
    if (type == PieceType::kUserDefined) {
      user_scores_.resize(model_.size());
      user_scores_[i] = static_cast<float>(static_cast<double>(static_cast<float>(piece.size()) * max_score) - 0.1);
    }
  }
  std::vector<PieceTrie::Entry> entries;
  entries.reserve(keys.size());
  size_t begin = 0;
  for (const auto& [end, id] : keys) {
    entries.emplace_back(std::string_view(inner_text).substr(begin, end - begin), id);
    begin = end;
  }
  trie_ = PieceTrie(entries, model_.file);
}

/// One pass over a normalised segment. A position that no piece crosses is a cut: every path passes through it, so the
/// tokens before it are final, and the nodes start anew from there. English has one at every word.
class SentencePieceUnigram::Walk {
 public:
  Walk(const SentencePieceUnigram& unigram, const Utf8Text& text, UnigramScratch& scratch, TokenStream& out)
      : model_(unigram), text_(text), scratch_(scratch), out_(out) {}

  template <bool kUserDefined>
  void run() {
    const char* bytes = scratch_.normalized.bytes.data();
    const size_t size = scratch_.normalized.size;
    grow(0);
    nodes_[0] = {0.0f, -1, 0};
    for (size_t start = 0; start < size;) {
      if (start == base_ + frontier_ && start > base_) cut();
      const size_t length = std::min(utf8_length(bytes[start]), size - start);
      extend<kUserDefined>(bytes, start, size, length);
      start += length;
    }
    cut();
  }

 private:
  // All pieces that start at `start`, whose character has `length` bytes.
  template <bool kUserDefined>
  void extend(const char* bytes, size_t start, size_t size, size_t length) {
    const PieceTrie& trie = model_.trie_;
    const float* scores = model_.model_.scores.data();
    const auto from = static_cast<uint32_t>(start - base_);
    if (nodes_[from].score < kRebaseBelow) rebase(from);
    const float score_here = nodes_[from].score;
    bool single = false;
    uint32_t node = PieceTrie::kRoot;
    for (size_t end = start; end < size;) {
      node = trie.step(node, static_cast<unsigned char>(bytes[end]));
      if (node == PieceTrie::kNone) break;
      ++end;
      const int32_t piece = trie.value(node);
      if (piece < 0) continue;
      float score = scores[piece];
      if constexpr (kUserDefined) {
        if (model_.type(piece) == PieceType::kUserDefined) score = model_.user_scores_[static_cast<size_t>(piece)];
      }
      offer(end - base_, score + score_here, piece, from);
      single |= end - start == length;
    }
    if (!single) {
      offer(start + length - base_, model_.unk_score_ + score_here, model_.unk_id(), from);
    }
  }

  void offer(size_t end, float score, int32_t piece, uint32_t from) {
    if (end > frontier_) {
      grow(end);
      for (size_t i = frontier_ + 1; i <= end; ++i) nodes_[i].start = kNoPath;
      frontier_ = end;
    }
    Node& target = nodes_[end];
    if (target.start == kNoPath || score > target.score) {
      target = {score, piece, from};
    }
  }

  void rebase(uint32_t from) {
    const float shift = nodes_[from].score;
    for (size_t i = from; i <= frontier_; ++i) {
      if (nodes_[i].start != kNoPath) nodes_[i].score -= shift;
    }
  }

  void grow(size_t end) {
    if (end >= kNoPath - 64) {
      throw Error(ErrorCode::kINVALID_ARGUMENT, "expected a text of less than 4 GiB after normalisation");
    }
    scratch_.nodes.reserve(end + 64, frontier_ + 1);
    nodes_ = scratch_.nodes.data();
  }

  // Emits the path that ends at the frontier and makes the frontier the new base.
  void cut() {
    if (nodes_[frontier_].start == 0) {
      emit(nodes_[frontier_].piece, base_, base_ + frontier_);
    } else {
      emit_path();
    }
    nodes_[0] = {nodes_[frontier_].score, -1, 0};
    base_ += frontier_;
    frontier_ = 0;
  }

  void emit_path() {
    size_t count = 0;
    for (uint32_t end = static_cast<uint32_t>(frontier_); end > 0; end = nodes_[end].start) ++count;
    scratch_.path.reserve(count, 0);
    uint32_t* path = scratch_.path.data();  // [count]: ends of the pieces in order
    size_t i = count;
    for (uint32_t end = static_cast<uint32_t>(frontier_); end > 0; end = nodes_[end].start) path[--i] = end;
    size_t begin = 0;
    for (i = 0; i < count; ++i) {
      emit(nodes_[path[i]].piece, base_ + begin, base_ + path[i]);
      begin = path[i];
    }
  }

  // A piece over bytes [begin, end) of the normalised text.
  void emit(int32_t piece, size_t begin, size_t end) {
    if (piece == model_.unk_id()) {
      emit_unknown(begin, end);
      return;
    }
    out_.ids.push_back(piece);
    if (out_.want_offsets) push_offsets(origin(begin), origin(end));
    after_unknown_ = false;
  }

  void emit_unknown(size_t begin, size_t end) {
    if (model_.model_.byte_fallback) {
      const char* bytes = scratch_.normalized.bytes.data() + begin;
      const bool symbol = model_.model_.escape_whitespaces && *bytes == kInnerSpace;
      emit_bytes(symbol ? kSpaceSymbol : std::string_view(bytes, end - begin), begin, end);
    } else if (after_unknown_) {
      if (out_.want_offsets) out_.offsets.back() = text_.utf16_at(origin(end));
    } else {
      out_.ids.push_back(model_.unk_id());
      if (out_.want_offsets) push_offsets(origin(begin), origin(end));
    }
    after_unknown_ = true;
  }

  // Every byte carries the range of the character of the text that it came from. Where that character became several
  // unknown ones ("½" -> "1⁄2"), their bytes form one group, which ends where the last of them does.
  void emit_bytes(std::string_view character, size_t begin, size_t end) {
    if (!out_.want_offsets) {
      for (const char byte : character) out_.ids.push_back(model_.byte_ids_[static_cast<unsigned char>(byte)]);
      return;
    }
    if (!(after_unknown_ && group_origin_ == origin(begin))) {
      group_origin_ = origin(begin);
      group_begin_ = out_.ids.size();
    }
    for (const char byte : character) out_.ids.push_back(model_.byte_ids_[static_cast<unsigned char>(byte)]);
    out_.offsets.resize(group_begin_ * 2);
    while (out_.offsets.size() < out_.ids.size() * 2) push_offsets(group_origin_, origin(end));
  }

  size_t origin(size_t normalized_byte) const { return scratch_.normalized.origin[normalized_byte]; }
  void push_offsets(size_t begin, size_t end) { out_.push_offsets(text_, begin, end); }

  const SentencePieceUnigram& model_;
  const Utf8Text& text_;
  UnigramScratch& scratch_;
  TokenStream& out_;
  Node* nodes_ = nullptr;
  size_t base_ = 0;      // byte of the normalised text that nodes_[0] stands for
  size_t frontier_ = 0;  // furthest end of a piece so far, from base_
  bool after_unknown_ = false;
  size_t group_origin_ = 0, group_begin_ = 0;  // of the byte pieces written last: byte of the text, first token
};

void SentencePieceUnigram::encode(const Utf8Text& text, size_t begin, size_t end, UnigramScratch& scratch,
                                  TokenStream& out) const {
  normalizer_.normalize(text, begin, end, out.want_offsets, scratch.normalized);
  if (scratch.normalized.size == 0) return;
  Walk walk(*this, text, scratch, out);
  if (user_scores_.empty()) {
    walk.run<false>();
  } else {
    walk.run<true>();
  }
}

int32_t SentencePieceUnigram::find(std::string_view piece) const {
  const int32_t id = trie_.find(normalizer_.inner_form(piece));
  if (id >= 0 && this->piece(id) == piece) return id;
  const auto found = rest_.find(piece);
  return found == rest_.end() ? -1 : found->second;
}

void SentencePieceUnigram::append_decoded(int32_t id, std::string& out) const {
  std::string_view piece = this->piece(id);
  if (type(id) == PieceType::kByte) {
    out += static_cast<char>(byte_of_piece(piece));
    return;
  }
  while (!piece.empty()) {
    const bool space = piece.substr(0, kSpaceSymbol.size()) == kSpaceSymbol;
    out += space ? ' ' : piece[0];
    piece.remove_prefix(space ? kSpaceSymbol.size() : 1);
  }
}

}  // namespace deberta
