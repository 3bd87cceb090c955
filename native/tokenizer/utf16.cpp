// ASCII is narrowed sixteen units at a time; the first other character switches to one code point at a time.
#include "tokenizer/utf16.h"

#include <string>

#include "base/error.h"
#include "tokenizer/tokenizer.h"
#include "tokenizer/unicode_classes.h"

namespace deberta {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct Utf16CodePoint {
  char32_t value;
  size_t units;
};

Utf16CodePoint decode_utf16(std::u16string_view text, size_t i) {
  const char32_t unit = text[i];
  if (unit < 0xD800 || unit > 0xDFFF) return {unit, 1};
  if (unit < 0xDC00 && i + 1 < text.size() && text[i + 1] >= 0xDC00 && text[i + 1] <= 0xDFFF) {
    return {0x10000 + ((unit - 0xD800) << 10) + (text[i + 1] - 0xDC00u), 2};
  }
  return {kReplacement, 1};
}

size_t write_utf8(char* out, char32_t c) {
  const auto put = [out](int i, char32_t byte) { out[i] = static_cast<char>(byte); };
  if (c < 0x80) {
    put(0, c);
    return 1;
  }
  if (c < 0x800) {
    put(0, 0xC0 | c >> 6), put(1, 0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    put(0, 0xE0 | c >> 12), put(1, 0x80 | (c >> 6 & 0x3F)), put(2, 0x80 | (c & 0x3F));
    return 3;
  }
  put(0, 0xF0 | c >> 18), put(1, 0x80 | (c >> 12 & 0x3F)), put(2, 0x80 | (c >> 6 & 0x3F)), put(3, 0x80 | (c & 0x3F));
  return 4;
}

}  // namespace

size_t Utf8Transcoder::transcode_ascii_prefix(std::u16string_view text) {
  constexpr size_t kBlock = 16;
  char* out = bytes_.data();
  size_t i = 0;
  for (; i + kBlock <= text.size(); i += kBlock) {
    char16_t any = 0;
    for (size_t k = 0; k < kBlock; ++k) any |= text[i + k];
    if (any >= 0x80) break;
    for (size_t k = 0; k < kBlock; ++k) out[i + k] = static_cast<char>(text[i + k]);
  }
  for (; i < text.size() && text[i] < 0x80; ++i) out[i] = static_cast<char>(text[i]);
  return i;
}

template <bool kOffsets>
size_t Utf8Transcoder::transcode_rest(std::u16string_view text, size_t ascii_prefix, bool lower) {
  char* out = bytes_.data();
  int32_t* utf16_of = utf16_of_.data();
  size_t size = ascii_prefix;
  if constexpr (kOffsets) {
    for (size_t i = 0; i < ascii_prefix; ++i) utf16_of[i] = static_cast<int32_t>(i);
  }
  for (size_t i = ascii_prefix; i < text.size();) {
    const auto [code_point, units] = decode_utf16(text, i);
    size_t length = write_utf8(out + size, lower ? lower_case(code_point) : code_point);
    if (lower && code_point == 0x130) length += write_utf8(out + size + length, 0x307);  // 3 bytes from one unit
    if constexpr (kOffsets) {
      for (size_t k = 0; k < length; ++k) utf16_of[size + k] = static_cast<int32_t>(i);
    }
    size += length;
    i += units;
  }
  if constexpr (kOffsets) utf16_of[size] = static_cast<int32_t>(text.size());
  return size;
}

Utf8Text Utf8Transcoder::transcode(std::u16string_view text, bool lower_case, bool offsets) {
  if (text.size() > kMaxTextUnits) {
    throw Error(ErrorCode::kINVALID_ARGUMENT, "expected a text of at most " + std::to_string(kMaxTextUnits) +
                                                  " UTF-16 units, found " + std::to_string(text.size()));
  }
  const size_t worst = text.size() * 3 + 1;  // a unit gives at most 3 bytes, a pair 4
  bytes_.reserve(worst, 0);
  const size_t ascii_prefix = lower_case ? 0 : transcode_ascii_prefix(text);
  size_t size = ascii_prefix;
  const bool map = offsets && ascii_prefix < text.size();
  if (map) {
    utf16_of_.reserve(worst, 0);
    size = transcode_rest<true>(text, ascii_prefix, lower_case);
  } else if (ascii_prefix < text.size()) {
    size = transcode_rest<false>(text, ascii_prefix, lower_case);
  }
  bytes_[size] = '\0';
  return {bytes_.data(), size, map ? utf16_of_.data() : nullptr, text};
}

void Utf8Transcoder::trim(size_t limit) {
  bytes_.trim(limit);
  utf16_of_.trim(limit);
}

}  // namespace deberta
