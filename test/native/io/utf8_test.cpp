#include "io/utf8.h"

#include "doctest.h"

using namespace deberta;

TEST_CASE("every scalar value is written as UTF-8 that is recognised whole, and no prefix of it is") {
  for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, c);
    REQUIRE(utf8_sequence_length(text) == text.size());
    for (size_t n = 0; n < text.size(); ++n) REQUIRE(utf8_sequence_length(std::string_view(text).substr(0, n)) == 0);
  }
}

TEST_CASE("malformed sequences are refused") {
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
                          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3(", "a\xC3"}) {
    CHECK_FALSE(is_utf8(bad));
  }
  CHECK(is_utf8("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"));
  CHECK(is_utf8(""));
}

TEST_CASE("foreign text is made printable and cut") {
  CHECK(printable("caf\xC3\xA9\n\xFF") == "caf\xC3\xA9\\x0a\\xff");
  CHECK(printable(std::string(200, 'x')) == std::string(80, 'x') + "...");
}
