// Texts that break tokenizers: lone surrogates, NUL, nothing at all, ten million characters; and back to text.
#include <doctest.h>

#include <ctime>

#include "base/error.h"
#include "golden_check.h"
#include "small_tokenizer.h"
#include "tokenizer/gpt2_pretokenizer.h"
#include "tokenizer/unicode_classes.h"

namespace deberta {
namespace {

const char* const kFolders[] = {"tokenizers/tiny-en-2k", "tokenizers/bpe-2k"};

double cpu_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

TEST_CASE("an empty text is [CLS] [SEP]") {
  for (const char* name : kFolders) {
    const auto tokenizer = Tokenizer::load(fixture(name));
    const SpecialTokens& special = tokenizer->special_tokens();
    CHECK(tokenizer->encode(u"", nullptr, {}).at(0).input_ids == std::vector<int32_t>{special.cls, special.sep});
    const std::u16string_view empty;
    CHECK(tokenizer->encode(u"", &empty, {}).at(0).input_ids.size() == 3);
  }
}

TEST_CASE("lone surrogates are U+FFFD, with the offsets of their unit") {
  for (const char* name : kFolders) {
    const auto tokenizer = Tokenizer::load(fixture(name));
    const std::u16string texts[] = {u"a\xD800", u"\xDC00 b", u"x\xDC00\xD800y", u"\xD83D", u"\xD83D\xD83D\xDE00"};
    for (const std::u16string& text : texts) {
      std::u16string replaced = text;
      for (size_t i = 0; i < replaced.size(); ++i) {
        const bool pair = i + 1 < text.size() && text[i] >= 0xD800 && text[i] < 0xDC00 && text[i + 1] >= 0xDC00;
        if (pair) {
          ++i;
        } else if (text[i] >= 0xD800 && text[i] <= 0xDFFF) {
          replaced[i] = 0xFFFD;
        }
      }
      EncodeOptions options;
      options.offsets = true;
      const Encoding a = tokenizer->encode(text, nullptr, options).at(0);
      const Encoding b = tokenizer->encode(replaced, nullptr, options).at(0);
      CHECK(a.input_ids == b.input_ids);
      CHECK(a.offsets == b.offsets);
    }
  }
}

TEST_CASE("NUL is a character like others") {
  const auto tokenizer = Tokenizer::load(fixture("tokenizers/bpe-2k"));
  const std::u16string text(u"a\0b", 3);
  const auto ids = ids_of(*tokenizer, text);
  CHECK(ids.size() == 3);
  CHECK(tokenizer->decode(ids.data(), ids.size(), false) == std::string("a\0b", 3));
}

TEST_CASE("ten million characters take linear time") {
  const std::u16string unit = to_utf16("The quick brown fox, 12 jumps — über the lazy dog. ");
  std::u16string prose, word(10'000'000, u'a'), letters;
  while (prose.size() < 10'000'000) prose += unit;
  for (size_t i = 0; i < 10'000'000; ++i) letters += static_cast<char16_t>(u'a' + (i * i + i / 7) % 26);
  for (const char* name : kFolders) {
    const auto tokenizer = Tokenizer::load(fixture(name));
    for (const std::u16string* text : {&prose, &word, &letters}) {
      const auto time = [&](size_t units) {
        const double start = cpu_seconds();
        CHECK(ids_of(*tokenizer, std::u16string_view(*text).substr(0, units)).size() > units / 40);
        return cpu_seconds() - start;
      };
      const double small = std::min(time(1'000'000), time(1'000'000));
      const double large = time(10'000'000);
      CHECK_MESSAGE(large < 40 * small + 0.5, name << ": " << small << " s, " << large << " s");
    }
  }
}

TEST_CASE("near-ties deep in a long text fall as SentencePiece 0.2.2 lets them") {
  const auto tokenizer = Tokenizer::load(fixture("tokenizers/tiny-en-2k"));
  std::u16string text;
  uint64_t state = 1;
  for (int i = 0; i < 200'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    text += u"aeinorst"[state >> 61];
  }
  const std::vector<int32_t> ids = ids_of(*tokenizer, text);
  CHECK(ids.size() == 132852);
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a over the ids' bytes, little endian
  for (const int32_t id : ids) {
    for (int shift = 0; shift < 32; shift += 8)
      hash = (hash ^ (static_cast<uint32_t>(id) >> shift & 0xFF)) * 0x100000001b3u;
  }
  CHECK(hash == 0x4c001e169d83e2e9u);
}

TEST_CASE("byte-level BPE gives every text back") {
  const auto tokenizer = Tokenizer::load(fixture("tokenizers/bpe-2k"));
  for (const GoldenLine& line : read_golden(fixture("tokenizers/bpe-2k/golden.jsonl"))) {
    CHECK(tokenizer->decode(line.ids.data(), line.ids.size(), true) == line.text);
  }
}

TEST_CASE("unigram gives plain text back, bytes joined, and its own ids again for any text") {
  const auto tokenizer = Tokenizer::load(fixture("tokenizers/tiny-en-2k"));
  const std::string plain = "Hello wörld, 日本 😀!";
  const auto ids = ids_of(*tokenizer, to_utf16(plain));
  CHECK(tokenizer->decode(ids.data(), ids.size(), true) == plain);
  for (const GoldenLine& line : read_golden(fixture("tokenizers/tiny-en-2k/golden.jsonl"))) {
    if (line.text.find("\uFB01\u0301") != std::string::npos) continue;  // "ﬁ´" -> "fi´", which a second pass composes
    const std::string text = tokenizer->decode(line.ids.data(), line.ids.size(), true);
    CHECK_MESSAGE(ids_of(*tokenizer, to_utf16(text)) == line.ids, line.text);
  }
}

TEST_CASE("decode: special tokens by name or skipped, malformed bytes as U+FFFD, ids checked") {
  const auto tokenizer = Tokenizer::load(fixture("tokenizers/tiny-en-2k"));
  const auto ids = tokenizer->encode(u"the dog", nullptr, {}).at(0).input_ids;
  CHECK(tokenizer->decode(ids.data(), ids.size(), false) == "[CLS] the dog[SEP]");
  CHECK(tokenizer->decode(ids.data(), ids.size(), true) == "the dog");
  const int32_t half[] = {tokenizer->token_to_id("<0xE2>"), tokenizer->token_to_id("<0x82>")};
  CHECK(tokenizer->decode(half, 2, true) == "\xEF\xBF\xBD\xEF\xBF\xBD");
  for (const int32_t id : {-1, 2049, INT32_MAX, INT32_MIN}) CHECK_THROWS_AS(tokenizer->decode(&id, 1, true), Error);
  CHECK(tokenizer->decode(nullptr, 0, true).empty());
}

TEST_CASE("every id has a token, and every token its id") {
  for (const char* name : kFolders) {
    const auto tokenizer = Tokenizer::load(fixture(name));
    for (int32_t id = 0; id < tokenizer->vocab_size(); ++id) {
      CHECK(tokenizer->token_to_id(tokenizer->id_to_token(id)) == id);
    }
    CHECK(tokenizer->token_to_id("no such token") == -1);
    CHECK(tokenizer->token_to_id("") == -1);
  }
}

TEST_CASE("words of GPT-2's expression") {
  const auto words = [](std::string_view text) {
    std::vector<std::string> result;
    while (!text.empty()) {
      const size_t length = gpt2_word_length(text);
      result.emplace_back(text.substr(0, length));
      text.remove_prefix(length);
    }
    return result;
  };
  using Words = std::vector<std::string>;
  CHECK(words("I'm they'll 'S") == Words{"I", "'m", " they", "'ll", " '", "S"});
  CHECK(words("a  b   ") == Words{"a", " ", " b", "   "});
  CHECK(words("x\n\ny\t z") == Words{"x", "\n", "\n", "y", "\t", " z"});
  CHECK(words("12ab½²!?'s") == Words{"12", "ab", "½²", "!?'", "s"});
  CHECK(words("\u3000\u3000x \u3000") == Words{"\u3000", "\u3000", "x", " \u3000"});
}

TEST_CASE("classes and lower case of characters") {
  CHECK(char_class(U'é') == CharClass::kLetter);
  CHECK(char_class(U'½') == CharClass::kNumber);
  CHECK(char_class(0x3000) == CharClass::kWhiteSpace);
  CHECK(char_class(0x200B) == CharClass::kOther);
  CHECK(char_class(0x301) == CharClass::kMark);
  CHECK(char_class(0x110000) == CharClass::kOther);
  CHECK(lower_case(U'Ä') == U'ä');
  CHECK(lower_case(0x10400) == 0x10428);
  CHECK(lower_case(U'ẞ') == U'ß');
  CHECK(lower_case(U'7') == U'7');
  CHECK(is_split_punctuation(U'$'));
  CHECK(is_split_punctuation(U'„'));
  CHECK(!is_split_punctuation(U'€'));
}

}  // namespace
}  // namespace deberta
