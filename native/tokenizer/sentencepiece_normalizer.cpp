// Follows Normalizer::Normalize and NormalizePrefix of SentencePiece 0.2 step by step; runs of plain ASCII take a short
// cut.
#include "tokenizer/sentencepiece_normalizer.h"

#include "tokenizer/unicode_classes.h"

namespace deberta {
namespace {

constexpr std::string_view kSpaceSymbol = "\xE2\x96\x81";  // ▁, U+2581

PieceTrie user_defined_trie(const SentencePieceModel& model) {
  std::vector<PieceTrie::Entry> entries;
  for (size_t id = 0; id < model.size(); ++id) {
    if (model.types[id] == PieceType::kUserDefined) entries.emplace_back(model.piece(id), static_cast<int32_t>(id));
  }
  return entries.empty() ? PieceTrie() : PieceTrie(entries, model.file);
}

}  // namespace

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceModel& model)
    : charsmap_(model.charsmap, model.file),
      user_defined_(user_defined_trie(model)),
      escape_(model.escape_whitespaces),
      dummy_prefix_(model.add_dummy_prefix),
      remove_extra_(model.remove_extra_whitespaces) {
  for (unsigned c = 0; c < 256; ++c) {
    copied_ascii_[c] = c < 128 && charsmap_.leaves_ascii(static_cast<char>(c)) &&
                       user_defined_.step(PieceTrie::kRoot, static_cast<unsigned char>(c)) == PieceTrie::kNone;
  }
}

std::string SentencePieceNormalizer::inner_form(std::string_view piece) const {
  std::string out;
  while (!piece.empty()) {
    const bool space = escape_ && piece.substr(0, kSpaceSymbol.size()) == kSpaceSymbol;
    out += space ? ' ' : piece[0];
    piece.remove_prefix(space ? kSpaceSymbol.size() : 1);
  }
  return out;
}

SentencePieceNormalizer::Prefix SentencePieceNormalizer::normalize_prefix(std::string_view text) const {
  if (const auto match = user_defined_.longest_match(text); match.length > 0) {
    return {text.substr(0, match.length), match.length};
  }
  if (const auto match = charsmap_.longest_match(text); match.length > 0) return {match.replacement, match.length};
  const size_t length = std::min(utf8_length(text[0]), text.size());
  return {text.substr(0, length), length};
}

/// Appends to a NormalizedText. There is always room for one byte per byte of text that is left and one replacement.
template <bool kOffsets>
struct SentencePieceNormalizer::Writer {
  NormalizedText& out;
  char* bytes = nullptr;
  uint32_t* origin = nullptr;
  size_t size = 0;

  void reserve(size_t room) {
    out.bytes.reserve(size + room, size);
    bytes = out.bytes.data();
    if constexpr (kOffsets) {
      out.origin.reserve(size + room, size);
      origin = out.origin.data();
    }
  }

  void put(char byte, size_t from) {
    bytes[size] = byte;
    if constexpr (kOffsets) origin[size] = static_cast<uint32_t>(from);
    ++size;
  }

  void put(std::string_view replacement, size_t from, bool escape) {
    while (!replacement.empty()) {
      const bool symbol = escape && replacement.substr(0, kSpaceSymbol.size()) == kSpaceSymbol;
      put(symbol ? ' ' : replacement[0], from);
      replacement.remove_prefix(symbol ? kSpaceSymbol.size() : 1);
    }
  }
};

template <bool kOffsets>
void SentencePieceNormalizer::run(const char* text, size_t begin, size_t end, NormalizedText& out) const {
  const auto rest = [&](size_t from) { return std::string_view(text + from, end - from); };
  size_t p = begin;
  if (remove_extra_) {
    while (p < end) {
      const Prefix prefix = normalize_prefix(rest(p));
      if (prefix.replacement != " ") break;
      p += prefix.length;
    }
  }
  out.size = 0;
  if (p == end) return;

  const size_t slack = charsmap_.longest_replacement() + 8;
  Writer<kOffsets> writer{out};
  writer.reserve(end - p + slack);
  if (dummy_prefix_) writer.put(' ', p);
  bool after_space = remove_extra_;
  while (p < end) {
    // text[end] exists: a NUL, or the first byte of what follows this segment.
    if (copied_ascii_[static_cast<unsigned char>(text[p])] && static_cast<unsigned char>(text[p + 1]) < 0x80) {
      const bool space = text[p] == ' ';
      if (!(space && after_space)) writer.put(text[p], p);
      after_space = space && remove_extra_;
      ++p;
      continue;
    }
    Prefix prefix = normalize_prefix(rest(p));
    while (after_space && !prefix.replacement.empty() && prefix.replacement[0] == ' ') {
      prefix.replacement.remove_prefix(1);
    }
    if (!prefix.replacement.empty()) {
      writer.put(prefix.replacement, p, escape_);
      after_space = remove_extra_ && prefix.replacement.back() == ' ';
      if (prefix.replacement.size() > prefix.length) writer.reserve(end - p + slack);
    }
    p += prefix.length;
  }
  size_t consumed = end;
  if (remove_extra_) {
    while (writer.size > 0 && writer.bytes[writer.size - 1] == ' ') {
      --writer.size;
      if constexpr (kOffsets) consumed = writer.origin[writer.size];
    }
  }
  out.size = writer.size;
  if constexpr (kOffsets) writer.origin[writer.size] = static_cast<uint32_t>(consumed);
}

void SentencePieceNormalizer::normalize(const Utf8Text& text, size_t begin, size_t end, bool offsets,
                                        NormalizedText& out) const {
  if (offsets) {
    run<true>(text.bytes, begin, end, out);
  } else {
    run<false>(text.bytes, begin, end, out);
  }
}

}  // namespace deberta
