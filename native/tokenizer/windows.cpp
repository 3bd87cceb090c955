// The rules of Hugging Face's fast tokenizers (truncate_encodings), but no window is ever left out.
#include "tokenizer/windows.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace deberta {
namespace {

[[noreturn]] void invalid(const std::string& message) { throw Error(ErrorCode::kINVALID_ARGUMENT, message); }

std::string number(size_t value) { return std::to_string(value); }

void check_options(const EncodeOptions& options, bool pair, size_t specials) {
  if (options.max_length < 0) invalid("max_length: expected 0 or more, found " + std::to_string(options.max_length));
  if (options.stride < 0) invalid("stride: expected 0 or more, found " + std::to_string(options.stride));
  if (options.stride > 0 && !options.return_windows) invalid("stride is given, but windows are not asked for");
  if (!pair && options.truncation == Truncation::kOnlySecond) invalid("truncation only_second needs a text pair");
  const bool names_one = options.truncation == Truncation::kOnlyFirst || options.truncation == Truncation::kOnlySecond;
  if (pair && options.return_windows && !names_one) {
    invalid("windows over a text pair need truncation only_first or only_second, to say which text they run over");
  }
  if (options.max_length == 0) return;
  if (static_cast<size_t>(options.max_length) < specials) {
    invalid("max_length: expected at least " + number(specials) + ", the number of special tokens, found " +
            std::to_string(options.max_length));
  }
}

[[noreturn]] void too_long(size_t length, const EncodeOptions& options, const std::string& hint) {
  throw Error(ErrorCode::kSEQUENCE_TOO_LONG, "the text has " + number(length) + " tokens with its special tokens, " +
                                                 "the limit is " + std::to_string(options.max_length) + hint);
}

TokenRange keep(size_t tokens, size_t count, bool left) {
  return left ? TokenRange{tokens - count, tokens} : TokenRange{0, count};
}

// The longer text is cut to what the shorter leaves, but never below it: then both are cut to half of the room, and the
// longer (of equals the second) keeps an odd token. tokenizers 0.23 gives it to the second also where both exceed the
// room, as it cuts each to the room first; 0.22 and its source do as we do.
Window longest_first(size_t first, size_t second, size_t room, bool left) {
  const size_t shorter = std::min(first, second);
  size_t keep_shorter = shorter, keep_longer = std::max(shorter, room > shorter ? room - shorter : 0);
  if (keep_shorter + keep_longer > room) {
    keep_shorter = room / 2;
    keep_longer = room - keep_shorter;
  }
  const bool first_is_longer = first > second;
  return {keep(first, first_is_longer ? keep_longer : keep_shorter, left),
          keep(second, first_is_longer ? keep_shorter : keep_longer, left)};
}

// Windows of `room` tokens, each sharing `stride` with the one before; the last may be shorter.
std::vector<TokenRange> slide(size_t tokens, size_t room, size_t stride) {
  std::vector<TokenRange> ranges;
  for (size_t begin = 0;; begin += room - stride) {
    ranges.push_back({begin, std::min(begin + room, tokens)});
    if (ranges.back().end == tokens) return ranges;
  }
}

}  // namespace

std::vector<Window> plan_windows(size_t first, std::optional<size_t> second, size_t specials, bool truncate_left,
                                 const EncodeOptions& options) {
  check_options(options, second.has_value(), specials);
  const size_t other_text = second.value_or(0);
  const Window whole{{0, first}, {0, other_text}};
  const size_t length = first + other_text + specials;
  if (options.max_length == 0 || length <= static_cast<size_t>(options.max_length)) return {whole};

  const size_t room = static_cast<size_t>(options.max_length) - specials;
  const bool over_second = options.truncation == Truncation::kOnlySecond;
  const size_t fixed = over_second ? first : other_text;  // the text that is not cut
  const bool cuts_one =
      over_second || options.truncation == Truncation::kOnlyFirst || options.return_windows || !second.has_value();
  if (options.truncation == Truncation::kNone && !options.return_windows) {
    too_long(length, options, "; ask for truncation or windows, or raise max_length");
  }
  if (!cuts_one) return {longest_first(first, other_text, room, truncate_left)};
  if (fixed >= room) too_long(length, options, ", which leaves no room for the text that is to be cut");
  const size_t left = room - fixed;
  if (!options.return_windows) {
    const TokenRange kept = keep(over_second ? other_text : first, left, truncate_left);
    return {over_second ? Window{whole.first, kept} : Window{kept, whole.second}};
  }
  const auto stride = static_cast<size_t>(options.stride);
  if (stride >= left) {
    invalid("stride: expected less than the " + number(left) + " tokens of text that a window holds, found " +
            number(stride));
  }
  std::vector<Window> windows;
  for (const TokenRange& range : slide(over_second ? other_text : first, left, stride)) {
    windows.push_back(over_second ? Window{whole.first, range} : Window{range, whole.second});
  }
  return windows;
}

}  // namespace deberta
