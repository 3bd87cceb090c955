// Built breadth first, so that the units near the root, which every look-up passes, lie together.
#include "tokenizer/piece_trie.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "io/utf8.h"

namespace deberta {
namespace {

// Entries with the first eight bytes of the key as a number, so that sorting rarely touches the keys themselves.
struct SortKey {
  uint64_t prefix;
  uint32_t entry;
};

uint64_t big_endian_prefix(std::string_view key) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < 8; ++i) prefix = prefix << 8 | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0u);
  return prefix;
}

std::vector<PieceTrie::Entry> sorted_entries(const std::vector<PieceTrie::Entry>& entries) {
  std::vector<SortKey> keys(entries.size());
  for (size_t i = 0; i < entries.size(); ++i) keys[i] = {big_endian_prefix(entries[i].first), static_cast<uint32_t>(i)};
  std::sort(keys.begin(), keys.end(), [&](const SortKey& a, const SortKey& b) {
    return a.prefix != b.prefix ? a.prefix < b.prefix : entries[a.entry].first < entries[b.entry].first;
  });
  std::vector<PieceTrie::Entry> sorted;
  sorted.reserve(entries.size());
  for (const SortKey& key : keys) sorted.push_back(entries[key.entry]);
  return sorted;
}

}  // namespace

class PieceTrieBuilder {
 public:
  PieceTrieBuilder(std::vector<PieceTrie::Unit>& units, std::vector<PieceTrie::Entry> sorted)
      : units_(units), entries_(std::move(sorted)) {}

  void build() {
    units_.assign(PieceTrie::kBlock, {});
    blocks_.emplace_back();  // block 0 stays closed
    if (entries_.empty()) return;
    struct Task {
      uint32_t node, begin, end, depth;
    };
    std::vector<Task> queue{{PieceTrie::kRoot, 0, static_cast<uint32_t>(entries_.size()), 0}};
    for (size_t head = 0; head < queue.size(); ++head) {
      const Task task = queue[head];
      uint32_t begin = task.begin;
      if (entries_[begin].first.size() == task.depth) {  // the key that ends here sorts first
        set_value(task.node, entries_[begin].second);
        ++begin;
      }
      if (begin == task.end) continue;
      collect_children(begin, task.end, task.depth);
      const uint32_t base = place();
      units_[task.node].base = base;
      for (size_t i = 0; i < labels_.size(); ++i) {
        const uint32_t child = base ^ labels_[i];
        units_[child].label_and_value = labels_[i];
        queue.push_back({child, starts_[i], starts_[i + 1], task.depth + 1});
      }
    }
  }

 private:
  struct Block {
    uint64_t free[4] = {~0ull, ~0ull, ~0ull, ~0ull};       // units without a node
    uint64_t base_free[4] = {~0ull, ~0ull, ~0ull, ~0ull};  // positions that are no node's base
    uint32_t failures = 0;
  };

  static constexpr uint32_t kMaxFailures = 24;  // a block that refused this often is left as it is
  static constexpr size_t kOpenBlocks = 24;     // how many blocks are tried before a new one

  void set_value(uint32_t node, int32_t value) {
    units_[node].label_and_value |= static_cast<uint32_t>(value + 1) << PieceTrie::kLabelBits;
  }

  // The distinct bytes at `depth` among entries [begin, end), and where the entries of each start.
  void collect_children(uint32_t begin, uint32_t end, uint32_t depth) {
    labels_.clear();
    starts_.clear();
    for (uint32_t i = begin; i < end; ++i) {
      const auto byte = static_cast<unsigned char>(entries_[i].first[depth]);
      if (labels_.empty() || labels_.back() != byte) {
        labels_.push_back(byte);
        starts_.push_back(i);
      }
    }
    starts_.push_back(end);
  }

  // A base under which all labels_ are free; marks it and them as taken.
  uint32_t place() {
    for (size_t i = open_.size(); i-- > 0;) {
      const int base = find_base(blocks_[open_[i]]);
      if (base >= 0) return take(open_[i], static_cast<uint32_t>(base));
      if (++blocks_[open_[i]].failures > kMaxFailures) open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    const auto block = static_cast<uint32_t>(blocks_.size());
    blocks_.emplace_back();
    units_.resize(units_.size() + PieceTrie::kBlock);
    if (open_.size() == kOpenBlocks) open_.erase(open_.begin());
    open_.push_back(block);
    return take(block, static_cast<uint32_t>(find_base(blocks_[block])));
  }

  int find_base(const Block& block) const {
    for (uint32_t word = 0; word < 4; ++word) {
      for (uint64_t bits = block.free[word]; bits != 0; bits &= bits - 1) {
        const uint32_t unit = word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
        const uint32_t base = unit ^ labels_[0];
        if (!test(block.base_free, base)) continue;
        const bool fits = std::all_of(labels_.begin() + 1, labels_.end(),
                                      [&](uint32_t label) { return test(block.free, base ^ label); });
        if (fits) return static_cast<int>(base);
      }
    }
    return -1;
  }

  uint32_t take(uint32_t block, uint32_t base) {
    clear(blocks_[block].base_free, base);
    for (const uint32_t label : labels_) clear(blocks_[block].free, base ^ label);
    return block * PieceTrie::kBlock + base;
  }

  static bool test(const uint64_t (&bits)[4], uint32_t i) { return (bits[i / 64] >> (i % 64) & 1) != 0; }
  static void clear(uint64_t (&bits)[4], uint32_t i) { bits[i / 64] &= ~(1ull << (i % 64)); }

  std::vector<PieceTrie::Unit>& units_;
  std::vector<PieceTrie::Entry> entries_;
  std::vector<Block> blocks_;
  std::vector<uint32_t> open_;             // blocks still tried
  std::vector<uint32_t> labels_, starts_;  // of the node being placed
};

PieceTrie::PieceTrie() : units_(kBlock) {}

PieceTrie::PieceTrie(const std::vector<Entry>& entries, const std::string& file) {
  std::vector<Entry> sorted = sorted_entries(entries);
  for (size_t i = 0; i < sorted.size(); ++i) {
    const std::string_view key = sorted[i].first;
    if (key.empty() || (i > 0 && key == sorted[i - 1].first)) {
      throw Error(ErrorCode::kTOKENIZER_FILE,
                  file + ": the token \"" + printable(key) + "\" " + (key.empty() ? "is empty" : "occurs twice"));
    }
  }
  PieceTrieBuilder(units_, std::move(sorted)).build();
}

int32_t PieceTrie::find(std::string_view key) const {
  uint32_t node = kRoot;
  for (const char c : key) {
    node = step(node, static_cast<unsigned char>(c));
    if (node == kNone) return -1;
  }
  return value(node);
}

PieceTrie::Match PieceTrie::longest_match(std::string_view text) const {
  Match match;
  uint32_t node = kRoot;
  for (size_t i = 0; i < text.size(); ++i) {
    node = step(node, static_cast<unsigned char>(text[i]));
    if (node == kNone) break;
    if (const int32_t found = value(node); found >= 0) match = {i + 1, found};
  }
  return match;
}

}  // namespace deberta
