// Merging takes the lowest rank first, and of equal ranks the leftmost: short words by scanning, long ones with a heap
// over a linked list, so that a word of n bytes costs n log n.
#include "tokenizer/byte_level_bpe.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "io/utf8.h"
#include "tokenizer/gpt2_pretokenizer.h"
#include "tokenizer/unicode_classes.h"

namespace deberta {
namespace {

constexpr uint64_t kNoPair = UINT64_MAX;
constexpr uint32_t kNoRank = UINT32_MAX;
constexpr size_t kShortWord = 48;  // bytes up to which scanning beats the heap

[[noreturn]] void fail(const std::string& file, const std::string& message) {
  throw Error(ErrorCode::kTOKENIZER_FILE, file + ": " + message);
}

uint64_t pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

uint64_t mix(uint64_t x) {
  x *= 0x9E3779B97F4A7C15u;
  return x ^ x >> 32;
}

// GPT-2's table: printable Latin-1 bytes are themselves, the others U+0100 and up, in order.
bool is_printable_byte(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
}

struct ByteAlphabet {
  char32_t characters[256];
  int bytes[324];  // [code point]: the byte, or -1

  ByteAlphabet() {
    std::fill(std::begin(bytes), std::end(bytes), -1);
    char32_t next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      characters[byte] = is_printable_byte(byte) ? static_cast<char32_t>(byte) : next++;
      bytes[characters[byte]] = byte;
    }
  }
};

const ByteAlphabet& byte_alphabet() {
  static const auto& alphabet = *new const ByteAlphabet;  // never destroyed: threads may outlive main
  return alphabet;
}

// The bytes that a token stands for. A token with other characters (an added one) stands for its own text.
std::string bytes_of_token(std::string_view token) {
  std::string out;
  for (size_t i = 0; i < token.size();) {
    const CodePoint c = decode_utf8(token.data() + i);
    const int byte = c.value < 324 ? byte_alphabet().bytes[c.value] : -1;
    if (byte < 0) return std::string(token);
    out += static_cast<char>(byte);
    i += c.length;
  }
  return out;
}

}  // namespace

void BpeScratch::trim(size_t limit) {
  symbols_.trim(limit);
  if (heap_.capacity() * sizeof(Candidate) > limit) heap_ = {};
  if (word_ids_.capacity() * sizeof(int32_t) > limit) word_ids_ = {};
  if (prefixed_.capacity() > limit) prefixed_ = {};
}

ByteLevelBpe::ByteLevelBpe(const BpeVocabulary& vocabulary, bool add_prefix_space)
    : file_(vocabulary.file), add_prefix_space_(add_prefix_space) {
  read_tokens(vocabulary);
  read_merges(vocabulary);
  if (const auto unk = ids_.find(vocabulary.unk_token); unk != ids_.end()) unk_id_ = unk->second;
  for (int byte = 0; byte < 256; ++byte) {
    std::string token;
    append_utf8(token, byte_alphabet().characters[byte]);
    byte_symbols_[byte] = find(token);
    if (byte_symbols_[byte] < 0 && unk_id_ < 0) {
      fail(file_, "the vocabulary has neither a token for the byte " + std::to_string(byte) + " (\"" + token +
                      "\") nor the unknown token \"" + printable(vocabulary.unk_token) + "\"");
    }
  }
}

void ByteLevelBpe::read_tokens(const BpeVocabulary& vocabulary) {
  const auto count = static_cast<int64_t>(vocabulary.tokens.size());
  int64_t size = 0;
  for (const auto& [token, id] : vocabulary.tokens) {
    if (id < 0 || id >= 2 * count + 1024) {  // some gaps are fine; this bounds the memory
      fail(file_, "the id " + std::to_string(id) + " is out of range for " + std::to_string(count) + " tokens");
    }
    size = std::max<int64_t>(size, int64_t{id} + 1);
  }
  tokens_.resize(static_cast<size_t>(size));
  bytes_.resize(static_cast<size_t>(size));
  ids_.reserve(vocabulary.tokens.size());
  for (const auto& [token, id] : vocabulary.tokens) {
    std::string& slot = tokens_[static_cast<size_t>(id)];
    if (token.empty() || !is_utf8(token)) fail(file_, "token " + std::to_string(id) + " is empty or not UTF-8");
    if (!slot.empty()) {
      fail(file_, "the id " + std::to_string(id) + " belongs to both \"" + printable(slot) + "\" and \"" +
                      printable(token) + "\"");
    }
    slot = token;
    bytes_[static_cast<size_t>(id)] = bytes_of_token(token);
    if (!ids_.emplace(slot, id).second) fail(file_, "the token \"" + printable(token) + "\" occurs twice");
  }
}

void ByteLevelBpe::read_merges(const BpeVocabulary& vocabulary) {
  merges_.assign(std::bit_ceil(vocabulary.merges.size() * 2 + 1), {kNoPair, 0, 0});
  const size_t mask = merges_.size() - 1;
  std::string joined;
  for (size_t rank = 0; rank < vocabulary.merges.size(); ++rank) {
    const auto& [left, right] = vocabulary.merges[rank];
    joined.assign(left).append(right);
    const int32_t left_id = find(left), right_id = find(right), id = find(joined);
    if (left_id < 0 || right_id < 0 || id < 0) {
      const std::string& missing = left_id < 0 ? left : right_id < 0 ? right : joined;
      fail(file_, "merge " + std::to_string(rank) + ": the vocabulary lacks the token \"" + printable(missing) + "\"");
    }
    const uint64_t pair = pair_of(left_id, right_id);
    size_t slot = mix(pair) & mask;
    while (merges_[slot].pair != kNoPair && merges_[slot].pair != pair) slot = (slot + 1) & mask;
    if (merges_[slot].pair == kNoPair) merges_[slot] = {pair, static_cast<uint32_t>(rank), id};
  }
}

int32_t ByteLevelBpe::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

const ByteLevelBpe::Merge* ByteLevelBpe::find_merge(int32_t left, int32_t right) const {
  if (left < 0 || right < 0) return nullptr;
  const uint64_t pair = pair_of(left, right);
  const size_t mask = merges_.size() - 1;
  for (size_t slot = mix(pair) & mask;; slot = (slot + 1) & mask) {
    if (merges_[slot].pair == pair) return &merges_[slot];
    if (merges_[slot].pair == kNoPair) return nullptr;
  }
}

void ByteLevelBpe::encode(const Utf8Text& text, size_t begin, size_t end, BpeScratch& scratch, TokenStream& out) const {
  std::string_view rest(text.bytes + begin, end - begin);
  size_t lead = 0;  // bytes of `rest` before the text's own
  if (add_prefix_space_ && !rest.empty() && rest[0] != ' ') {
    scratch.prefixed_.assign(1, ' ');
    scratch.prefixed_ += rest;
    rest = scratch.prefixed_;
    lead = 1;
  }
  size_t position = begin;  // in the text
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, gpt2_word_length(rest));
    rest.remove_prefix(word.size());
    size_t token = out.ids.size();
    encode_word(word, scratch, out.ids);
    if (!out.want_offsets) continue;
    for (; token < out.ids.size(); ++token) {
      const size_t next = position + byte_length(out.ids[token]) - lead;
      lead = 0;
      size_t stop = next;  // a token that ends inside a character covers all of it
      while (is_utf8_continuation(text.bytes[stop])) ++stop;
      out.push_offsets(text, position, stop);
      position = next;
    }
  }
}

void ByteLevelBpe::encode_word(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& ids) const {
  if (word.size() > BpeScratch::kMaxKey) {
    merge_word(word, scratch, ids);
    return;
  }
  if (scratch.slots_.empty()) scratch.slots_.resize(BpeScratch::kSlots);
  BpeScratch::Key key;
  auto* bytes = reinterpret_cast<char*>(key.words);
  bytes[0] = static_cast<char>(word.size());
  std::memcpy(bytes + 1, word.data(), word.size());
  const uint64_t hash = mix(key.words[0] ^ mix(key.words[1] ^ mix(key.words[2])));
  BpeScratch::Slot& slot = scratch.slots_[hash % BpeScratch::kSlots];
  if (slot.key == key) {
    ids.insert(ids.end(), slot.ids, slot.ids + slot.count);
    return;
  }
  const size_t first = ids.size();
  merge_word(word, scratch, ids);
  if (ids.size() - first > BpeScratch::kMaxIds) return;
  slot.key = key;
  slot.count = static_cast<int32_t>(ids.size() - first);
  std::copy(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end(), slot.ids);
}

void ByteLevelBpe::merge_word(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& ids) const {
  if (word.size() <= kShortWord) {
    merge_short(word, ids);
  } else {
    merge_long(word, scratch, ids);
  }
}

void ByteLevelBpe::merge_short(std::string_view word, std::vector<int32_t>& ids) const {
  int32_t symbols[kShortWord];
  const Merge* merges[kShortWord];  // of symbols i and i + 1
  size_t count = word.size();
  for (size_t i = 0; i < count; ++i) symbols[i] = byte_symbols_[static_cast<unsigned char>(word[i])];
  for (size_t i = 0; i + 1 < count; ++i) merges[i] = find_merge(symbols[i], symbols[i + 1]);
  while (count > 1) {
    size_t best = 0;
    uint32_t best_rank = kNoRank;
    for (size_t i = 0; i + 1 < count; ++i) {
      if (merges[i] != nullptr && merges[i]->rank < best_rank) {
        best = i;
        best_rank = merges[i]->rank;
      }
    }
    if (best_rank == kNoRank) break;
    symbols[best] = merges[best]->id;
    std::copy(symbols + best + 2, symbols + count, symbols + best + 1);
    std::copy(merges + std::min(best + 2, count - 1), merges + count - 1, merges + best + 1);
    --count;
    if (best > 0) merges[best - 1] = find_merge(symbols[best - 1], symbols[best]);
    if (best + 1 < count) merges[best] = find_merge(symbols[best], symbols[best + 1]);
  }
  for (size_t i = 0; i < count; ++i) ids.push_back(output_id(symbols[i]));
}

void ByteLevelBpe::merge_long(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& ids) const {
  const auto count = static_cast<uint32_t>(word.size());
  scratch.symbols_.reserve(count, 0);
  BpeScratch::Symbol* symbols = scratch.symbols_.data();
  for (uint32_t i = 0; i < count; ++i) {
    symbols[i] = {byte_symbols_[static_cast<unsigned char>(word[i])], i == 0 ? BpeScratch::kNone : i - 1,
                  i + 1 == count ? BpeScratch::kNone : i + 1};
  }
  std::vector<BpeScratch::Candidate>& heap = scratch.heap_;
  heap.clear();
  const auto candidate = [&](uint32_t left) {
    const uint32_t right = left == BpeScratch::kNone ? left : symbols[left].next;
    if (right == BpeScratch::kNone) return false;
    const Merge* merge = find_merge(symbols[left].id, symbols[right].id);
    if (merge != nullptr) heap.push_back({merge->rank, left, symbols[left].id, symbols[right].id});
    return merge != nullptr;
  };
  for (uint32_t i = 0; i + 1 < count; ++i) candidate(i);
  std::make_heap(heap.begin(), heap.end());
  constexpr int32_t kGone = -2;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const BpeScratch::Candidate best = heap.back();
    heap.pop_back();
    BpeScratch::Symbol& left = symbols[best.position];
    if (left.id != best.left || left.next == BpeScratch::kNone || symbols[left.next].id != best.right) continue;
    BpeScratch::Symbol& right = symbols[left.next];
    left.id = find_merge(best.left, best.right)->id;
    left.next = right.next;
    right.id = kGone;
    if (left.next != BpeScratch::kNone) symbols[left.next].previous = best.position;
    if (candidate(best.position)) std::push_heap(heap.begin(), heap.end());
    if (candidate(left.previous)) std::push_heap(heap.begin(), heap.end());
  }
  for (uint32_t i = 0; i != BpeScratch::kNone; i = symbols[i].next) ids.push_back(output_id(symbols[i].id));
}

}  // namespace deberta
