// The tokens of one text as the algorithms write them: ids, and offsets where they are wanted.
#pragma once

#include <cstdint>
#include <vector>

#include "tokenizer/unicode_classes.h"
#include "tokenizer/utf16.h"

namespace deberta {

struct TokenStream {
  std::vector<int32_t> ids;      // [n]
  std::vector<int32_t> offsets;  // [n, 2] UTF-16 [start, end), empty unless want_offsets
  bool want_offsets = false;

  void clear(bool with_offsets) {
    ids.clear();
    offsets.clear();
    want_offsets = with_offsets;
  }

  /// The range [begin, end) of UTF-8 bytes as UTF-16 units, without the white space it starts with.
  void push_offsets(const Utf8Text& text, size_t begin, size_t end) {
    int32_t start = text.utf16_at(begin);
    const int32_t stop = text.utf16_at(end);
    while (start < stop && is_white_space(text.units[static_cast<size_t>(start)])) ++start;
    offsets.push_back(start);
    offsets.push_back(stop);
  }
};

/// A part of a text between added tokens, in bytes.
struct TextSegment {
  size_t begin, end;
};

}  // namespace deberta
