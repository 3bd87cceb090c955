// A unit of the array: bit 8 has a leaf; bits 0-7 and 31 the label; bits 10-30 the offset, shifted by 8 when bit 9 is
// set. A child is found at (parent position ^ offset ^ label), its leaf value at (position ^ offset).
#include "tokenizer/charsmap.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace deberta {
namespace {

constexpr size_t kMaxReplacement = 1024;  // bytes; nmt_nfkc's longest is 33. Bounds what a character can grow to

bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
uint32_t label(uint32_t unit) { return unit & 0x800000FFu; }
uint32_t offset(uint32_t unit) { return (unit >> 10) << ((unit & (1u << 9)) >> 6); }
uint32_t value(uint32_t unit) { return unit & 0x7FFFFFFFu; }

[[noreturn]] void fail(const std::string& file, const std::string& message) {
  throw Error(ErrorCode::kTOKENIZER_FILE, file + ": precompiled_charsmap: " + message);
}

}  // namespace

Charsmap::Charsmap(std::string_view blob, const std::string& file) {
  if (blob.empty()) return;
  uint32_t array_bytes = 0;
  if (blob.size() < sizeof array_bytes) fail(file, "expected at least 4 bytes, found " + std::to_string(blob.size()));
  std::memcpy(&array_bytes, blob.data(), sizeof array_bytes);
  blob.remove_prefix(sizeof array_bytes);
  if (array_bytes >= blob.size() || array_bytes % 4 != 0 || array_bytes == 0) {
    fail(file, "an array of " + std::to_string(array_bytes) + " bytes in " + std::to_string(blob.size()));
  }
  units_.resize(array_bytes / 4);
  std::memcpy(units_.data(), blob.data(), array_bytes);
  replacements_ = blob.substr(array_bytes);
  if (replacements_.back() != '\0') fail(file, "the replacements do not end with NUL");
  for (size_t begin = 0; begin < replacements_.size();) {
    const size_t end = replacements_.find('\0', begin);
    longest_replacement_ = std::max(longest_replacement_, end - begin);
    begin = end + 1;
  }
  if (longest_replacement_ > kMaxReplacement) {
    fail(file, "expected replacements of at most 1024 bytes, found " + std::to_string(longest_replacement_));
  }
  for (unsigned c = 0; c < 128; ++c) leaves_ascii_[c] = ascii_is_left(static_cast<unsigned char>(c));
}

Charsmap::Match Charsmap::longest_match(std::string_view text) const {
  Match match;
  if (units_.empty()) return match;
  size_t position = offset(units_[0]);
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    position ^= byte;
    if (position >= units_.size()) break;
    const uint32_t unit = units_[position];
    if (label(unit) != byte) break;
    position ^= offset(unit);
    if (position >= units_.size()) break;
    if (has_leaf(unit)) {
      const size_t begin = value(units_[position]);
      if (begin >= replacements_.size()) continue;  // a hostile leaf: no rule
      match.length = i + 1;
      match.replacement = std::string_view(replacements_.data() + begin);  // the blob ends with NUL
    }
  }
  return match;
}

bool Charsmap::ascii_is_left(unsigned char c) const {
  char text[2] = {static_cast<char>(c), 0};
  if (longest_match({text, 1}).length != 0) return false;
  const size_t position = offset(units_[0]) ^ c;
  if (position >= units_.size() || label(units_[position]) != c) return true;
  const size_t children = position ^ offset(units_[position]);
  for (uint32_t next = 1; next < 128; ++next) {  // no rule holds a NUL
    const size_t child = children ^ next;
    if (child < units_.size() && label(units_[child]) == next) return false;
  }
  return true;
}

}  // namespace deberta
