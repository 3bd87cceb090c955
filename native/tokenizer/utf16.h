// The caller's UTF-16 as well-formed UTF-8, with the way back to UTF-16 positions.
#pragma once

#include <cstdint>
#include <string_view>

#include "tokenizer/scratch_buffer.h"

namespace deberta {

/// Well-formed UTF-8 of a whole text. bytes[size] is a NUL that is not part of it.
struct Utf8Text {
  const char* bytes;          // [size + 1]
  size_t size;                // bytes
  const int32_t* utf16_of;    // [size + 1]: UTF-16 position of the character a byte belongs to; null: byte i is unit i
  std::u16string_view units;  // the text itself

  int32_t utf16_at(size_t byte) const { return utf16_of ? utf16_of[byte] : static_cast<int32_t>(byte); }
};

class Utf8Transcoder {
 public:
  /// Lone surrogates become U+FFFD. `lower_case` applies the simple case mapping (and U+0130 -> "i̇", as Python's
  /// str.lower; a final sigma becomes σ, as in Hugging Face's fast tokenizers). Without `offsets`, utf16_of must not be
  /// used. The result lives until the next call. Throws INVALID_ARGUMENT for more than kMaxTextUnits.
  Utf8Text transcode(std::u16string_view text, bool lower_case, bool offsets);

  void trim(size_t limit);

 private:
  size_t transcode_ascii_prefix(std::u16string_view text);
  template <bool kOffsets>
  size_t transcode_rest(std::u16string_view text, size_t ascii_prefix, bool lower);

  ScratchBuffer<char> bytes_;
  ScratchBuffer<int32_t> utf16_of_;
};

}  // namespace deberta
