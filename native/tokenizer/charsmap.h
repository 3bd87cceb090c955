// SentencePiece's precompiled_charsmap: a double array (darts-clone) from byte strings to their replacements. Every
// look-up is checked against the array, so hostile units cannot lead outside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deberta {

class Charsmap {
 public:
  struct Match {
    size_t length = 0;             // bytes of the text that are replaced; 0: nothing matches
    std::string_view replacement;  // may be empty
  };

  Charsmap() = default;  // matches nothing

  /// Layout: u32 size of the array in bytes, the array of u32 units, NUL-terminated replacements; little endian.
  /// Throws TOKENIZER_FILE.
  Charsmap(std::string_view blob, const std::string& file);

  /// The replacement of the longest prefix of `text` that has one.
  Match longest_match(std::string_view text) const;

  /// Whether no rule applies to the ASCII character alone or followed by ASCII, so that it may be copied when the next
  /// character is ASCII too.
  bool leaves_ascii(char c) const { return leaves_ascii_[static_cast<unsigned char>(c)]; }

  size_t longest_replacement() const { return longest_replacement_; }  // bytes

 private:
  bool ascii_is_left(unsigned char c) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
  size_t longest_replacement_ = 0;
  std::vector<bool> leaves_ascii_ = std::vector<bool>(128, true);
};

}  // namespace deberta
