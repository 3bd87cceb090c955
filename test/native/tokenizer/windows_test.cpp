// Pairs, truncation and windows: the limits hold, no token is lost, overlaps are exact, contradictions are refused.
#include "tokenizer/windows.h"

#include <doctest.h>

#include <algorithm>

#include "base/error.h"
#include "golden_check.h"
#include "small_tokenizer.h"

namespace deberta {
namespace {

constexpr size_t kLengths[] = {0, 1, 2, 17, 113, 513};

ErrorCode code_of(size_t first, std::optional<size_t> second, const EncodeOptions& options) {
  try {
    plan_windows(first, second, second ? 3 : 2, false, options);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kINTERNAL;  // nothing was thrown
}

EncodeOptions limit(int64_t max_length, Truncation truncation) {
  EncodeOptions options;
  options.max_length = max_length;
  options.truncation = truncation;
  return options;
}

// Hugging Face's Python rule in spirit: the longer text loses tokens one at a time; which one keeps the odd token is
// the fast tokenizers' (the longer, or the second of equals).
std::pair<size_t, size_t> longest_first_reference(size_t first, size_t second, size_t room) {
  const bool first_was_longer = first > second;
  size_t longer = std::max(first, second), shorter = std::min(first, second);
  while (longer + shorter > room) {
    if (longer > shorter) {
      --longer;
    } else {
      --shorter;
    }
  }
  return first_was_longer ? std::pair{longer, shorter} : std::pair{shorter, longer};
}

TEST_CASE("longest_first keeps the limit and cuts the longer text") {
  for (const size_t first : kLengths) {
    for (const size_t second : kLengths) {
      for (const int64_t max_length : {3, 4, 5, 16, 100, 512}) {
        const auto windows = plan_windows(first, second, 3, false, limit(max_length, Truncation::kLongestFirst));
        REQUIRE(windows.size() == 1);
        const auto room = static_cast<size_t>(max_length) - 3;
        const auto expected =
            first + second <= room ? std::pair{first, second} : longest_first_reference(first, second, room);
        CHECK(std::pair{windows[0].first.size(), windows[0].second.size()} == expected);
        CHECK(windows[0].first.begin == 0);
        CHECK(windows[0].second.begin == 0);
      }
    }
  }
}

TEST_CASE("truncation from the left keeps the ends") {
  const auto windows = plan_windows(113, 17, 3, true, limit(30, Truncation::kLongestFirst));
  CHECK(windows[0].first.end == 113);
  CHECK(windows[0].second.end == 17);
  CHECK(windows[0].first.size() + windows[0].second.size() == 27);
}

TEST_CASE("only_first and only_second cut one text, and fail when the other leaves no room") {
  auto windows = plan_windows(113, 17, 3, false, limit(64, Truncation::kOnlyFirst));
  CHECK(windows[0].first.size() == 44);
  CHECK(windows[0].second.size() == 17);
  windows = plan_windows(17, 113, 3, false, limit(64, Truncation::kOnlySecond));
  CHECK(windows[0].first.size() == 17);
  CHECK(windows[0].second.size() == 44);
  CHECK(code_of(17, 113, limit(64, Truncation::kOnlyFirst)) == ErrorCode::kSEQUENCE_TOO_LONG);
  CHECK(code_of(113, 17, limit(64, Truncation::kOnlySecond)) == ErrorCode::kSEQUENCE_TOO_LONG);
}

TEST_CASE("windows lose no token and share exactly the stride") {
  for (const size_t tokens : {1, 2, 17, 113, 513, 1025}) {
    for (const int64_t max_length : {3, 5, 16, 64, 512}) {
      for (const int64_t stride : {0, 1, 7, 60}) {
        EncodeOptions options = limit(max_length, Truncation::kNone);
        options.return_windows = true;
        options.stride = stride;
        const auto room = static_cast<size_t>(max_length) - 2;
        if (static_cast<size_t>(stride) >= room && tokens > room) {
          CHECK(code_of(tokens, std::nullopt, options) == ErrorCode::kINVALID_ARGUMENT);
          continue;
        }
        const auto windows = plan_windows(tokens, std::nullopt, 2, false, options);
        CHECK(windows.front().first.begin == 0);
        CHECK(windows.back().first.end == tokens);
        for (size_t i = 0; i < windows.size(); ++i) {
          CHECK(windows[i].first.size() <= room);
          if (i > 0) CHECK(windows[i - 1].first.end - windows[i].first.begin == static_cast<size_t>(stride));
          if (i + 1 < windows.size()) CHECK(windows[i].first.size() == room);
          if (i > 0) CHECK(windows[i].first.end > windows[i - 1].first.end);
        }
      }
    }
  }
}

TEST_CASE("windows over one text of a pair repeat the other whole") {
  EncodeOptions options = limit(40, Truncation::kOnlySecond);
  options.return_windows = true;
  options.stride = 5;
  const auto windows = plan_windows(10, 113, 3, false, options);
  size_t covered = 0;
  for (const Window& window : windows) {
    CHECK(window.first.size() == 10);
    CHECK(window.second.size() <= 27);
    CHECK(window.second.begin <= covered);
    covered = window.second.end;
  }
  CHECK(covered == 113);
}

TEST_CASE("contradictory options are refused") {
  EncodeOptions options;
  options.max_length = -1;
  CHECK(code_of(5, std::nullopt, options) == ErrorCode::kINVALID_ARGUMENT);
  CHECK(code_of(5, std::nullopt, limit(1, Truncation::kOnlyFirst)) == ErrorCode::kINVALID_ARGUMENT);
  CHECK(code_of(5, std::nullopt, limit(8, Truncation::kOnlySecond)) == ErrorCode::kINVALID_ARGUMENT);
  options = limit(8, Truncation::kOnlyFirst);
  options.stride = 2;  // without windows
  CHECK(code_of(5, std::nullopt, options) == ErrorCode::kINVALID_ARGUMENT);
  options.return_windows = true;
  options.stride = -1;
  CHECK(code_of(5, std::nullopt, options) == ErrorCode::kINVALID_ARGUMENT);
  options.stride = 0;
  options.truncation = Truncation::kLongestFirst;
  CHECK(code_of(5, 5, options) == ErrorCode::kINVALID_ARGUMENT);
}

TEST_CASE("a text over the limit is an error that names both, unless it may be cut") {
  const auto tokenizer = letter_tokenizer();
  try {
    tokenizer->encode(u"abcdefgh", nullptr, limit(9, Truncation::kNone));
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kSEQUENCE_TOO_LONG);
    CHECK(std::string(error.what()).find("10 tokens") != std::string::npos);
    CHECK(std::string(error.what()).find("limit is 9") != std::string::npos);
  }
  CHECK(tokenizer->encode(u"abcdefgh", nullptr, limit(10, Truncation::kNone)).at(0).input_ids.size() == 10);
  const Encoding cut = tokenizer->encode(u"abcdefgh", nullptr, limit(9, Truncation::kOnlyFirst)).at(0);
  CHECK(cut.input_ids.size() == 9);
  CHECK(cut.truncated_tokens == 1);
}

TEST_CASE("a pair: [CLS] A [SEP] B [SEP], types, sequences and offsets in every window") {
  const auto tokenizer = letter_tokenizer();
  const std::u16string question = u"ab c", context = u"defg hijk lmno";
  const std::u16string_view context_view = context;
  EncodeOptions options = limit(10, Truncation::kOnlySecond);
  options.return_windows = true;
  options.stride = 1;
  options.offsets = true;
  const auto windows = tokenizer->encode(question, &context_view, options);
  REQUIRE(windows.size() == 4);  // 12 tokens, 4 a window, 1 shared
  const SpecialTokens& special = tokenizer->special_tokens();
  for (const Encoding& window : windows) {
    const size_t n = window.input_ids.size();
    REQUIRE(n <= 10);
    REQUIRE(window.token_type_ids.size() == n);
    REQUIRE(window.sequence_ids.size() == n);
    REQUIRE(window.offsets.size() == 2 * n);
    CHECK(window.input_ids.front() == special.cls);
    CHECK(window.input_ids[4] == special.sep);
    CHECK(window.input_ids.back() == special.sep);
    CHECK(window.truncated_tokens == 0);
    for (size_t i = 0; i < n; ++i) {
      const bool is_special = i == 0 || i == 4 || i + 1 == n;
      CHECK(window.token_type_ids[i] == (i > 4 ? 1 : 0));
      CHECK(window.sequence_ids[i] == (is_special ? -1 : i > 4 ? 1 : 0));
      const std::u16string& text = i > 4 ? context : question;
      const auto begin = static_cast<size_t>(window.offsets[2 * i]),
                 end = static_cast<size_t>(window.offsets[2 * i + 1]);
      if (is_special) {
        CHECK(end == 0);
      } else {
        CHECK(end == begin + 1);
        const std::string letter = tokenizer->decode(&window.input_ids[i], 1, false);
        CHECK(letter.size() == 1);
        CHECK(static_cast<char16_t>(letter[0]) == text[begin]);
      }
    }
  }
}

TEST_CASE("without special tokens the texts follow each other") {
  const auto tokenizer = letter_tokenizer();
  const std::u16string_view pair = u"b";
  EncodeOptions options;
  options.add_special_tokens = false;
  const Encoding encoding = tokenizer->encode(u"a", &pair, options).at(0);
  CHECK(encoding.input_ids == std::vector<int32_t>{tokenizer->token_to_id("▁a"), tokenizer->token_to_id("▁b")});
  CHECK(encoding.token_type_ids == std::vector<int32_t>{0, 1});
}

}  // namespace
}  // namespace deberta
