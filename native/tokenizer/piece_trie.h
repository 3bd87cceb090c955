// A double-array trie from byte strings to numbers, built once and walked a byte at a time: 8 bytes a node, one load a
// step. The child of a node over byte c is unit (base ^ c); it is that node's child iff its label is c, because no two
// nodes share a base.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace deberta {

class PieceTrie {
 public:
  using Entry = std::pair<std::string_view, int32_t>;  // key, value in [0, kMaxValue]

  static constexpr int32_t kMaxValue = (1 << 23) - 2;
  static constexpr uint32_t kRoot = 0;
  static constexpr uint32_t kNone = UINT32_MAX;

  PieceTrie();  // without keys

  /// Entries in any order. Throws TOKENIZER_FILE, naming `file`, for an empty key or one that occurs twice.
  PieceTrie(const std::vector<Entry>& entries, const std::string& file);

  bool empty() const { return units_.size() <= kBlock; }

  /// The child of `node` over `byte`, or kNone.
  uint32_t step(uint32_t node, unsigned char byte) const {
    const uint32_t child = units_[node].base ^ byte;
    return (units_[child].label_and_value & kLabelMask) == byte ? child : kNone;
  }

  /// The value of the key that ends at `node`, or -1.
  int32_t value(uint32_t node) const { return static_cast<int32_t>(units_[node].label_and_value >> kLabelBits) - 1; }

  /// The value of `key`, or -1.
  int32_t find(std::string_view key) const;

  struct Match {
    size_t length = 0;  // bytes; 0: no key is a prefix
    int32_t value = -1;
  };

  /// The longest key that `text` starts with.
  Match longest_match(std::string_view text) const;

 private:
  friend class PieceTrieBuilder;
  static constexpr uint32_t kBlock = 256;  // a base and all its children lie in one aligned block
  static constexpr uint32_t kLabelBits = 9, kLabelMask = (1u << kLabelBits) - 1;
  static constexpr uint32_t kEmptyLabel = 256;  // equals no byte

  struct Unit {
    uint32_t base = 0;                       // 0 for a leaf: block 0 holds the root alone, so nothing is found there
    uint32_t label_and_value = kEmptyLabel;  // label: 9 bits; above: value + 1
  };

  std::vector<Unit> units_;
};

}  // namespace deberta
