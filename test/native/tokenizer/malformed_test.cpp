// Broken files: every one either loads, and then encodes and decodes, or throws a typed error. Run under ASan and
// UBSan.
#include <doctest.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "golden_check.h"
#include "small_tokenizer.h"
#include "tokenizer/charsmap.h"
#include "tokenizer/sentencepiece_model.h"

namespace deberta {
namespace {

/// A small generator of its own, so that the cases are the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  size_t below(size_t limit) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>((state_ >> 33) % limit);
  }

 private:
  uint64_t state_;
};

struct Outcome {
  int loaded = 0, refused = 0;
};

void try_folder(const TemporaryFolder& folder, Outcome& outcome) {
  try {
    const auto tokenizer = Tokenizer::load(folder.path());
    const std::u16string text = u"Hello  ½ \uFF21\uFB01 wörld\u3042\u0301 [MASK] 12\xD800\x200B\t!";
    EncodeOptions options;
    options.offsets = options.parse_special_tokens = true;
    const Encoding encoding = tokenizer->encode(text, nullptr, options).at(0);
    for (size_t i = 0; i < encoding.input_ids.size(); ++i) {
      REQUIRE(encoding.offsets[2 * i] <= encoding.offsets[2 * i + 1]);
      REQUIRE(static_cast<size_t>(encoding.offsets[2 * i + 1]) <= text.size());
      REQUIRE(!tokenizer->id_to_token(encoding.input_ids[i]).empty());
    }
    tokenizer->decode(encoding.input_ids.data(), encoding.input_ids.size(), false);
    ++outcome.loaded;
  } catch (const Error& error) {
    CHECK_MESSAGE(error.code() == ErrorCode::kTOKENIZER_FILE, error.what());
    ++outcome.refused;
  }
}

/// Truncations, flipped bits, and stretches overwritten, of one file of a tokenizer that is whole otherwise.
Outcome break_file(const TemporaryFolder& folder, const std::string& name, int rounds) {
  const std::string whole = read_bytes(folder.path() + "/" + name);
  Random random(whole.size());
  Outcome outcome;
  for (int round = 0; round < rounds; ++round) {
    std::string bytes = whole;
    if (round % 3 == 0) {
      bytes.resize(random.below(whole.size()));
    } else if (round % 3 == 1) {
      const size_t flips = 1 + random.below(8);
      for (size_t i = 0; i < flips; ++i) bytes[random.below(bytes.size())] ^= static_cast<char>(1u << random.below(8));
    } else {
      const size_t begin = random.below(bytes.size());
      const size_t end = std::min(bytes.size(), begin + 1 + random.below(64));
      for (size_t i = begin; i < end; ++i) bytes[i] = static_cast<char>(random.below(256));
    }
    folder.write(name, bytes);
    try_folder(folder, outcome);
  }
  folder.write(name, whole);
  return outcome;
}

TEST_CASE("broken spm.model") {
  const TemporaryFolder folder;
  folder.copy(fixture("tokenizers/tiny-en-2k"), "spm.model");
  const Outcome outcome = break_file(folder, "spm.model", 240);
  MESSAGE("spm.model: " << outcome.loaded << " loaded, " << outcome.refused << " refused");
  CHECK(outcome.refused >= 80);  // at least the truncated ones
}

TEST_CASE("broken vocab.json and merges.txt") {
  const TemporaryFolder folder;
  folder.copy(fixture("tokenizers/bpe-2k"), "vocab.json");
  folder.copy(fixture("tokenizers/bpe-2k"), "merges.txt");
  const Outcome vocab = break_file(folder, "vocab.json", 60), merges = break_file(folder, "merges.txt", 60);
  CHECK(vocab.refused >= 20);
  CHECK(merges.refused >= 10);
}

TEST_CASE("broken tokenizer.json") {
  const TemporaryFolder folder;
  UnigramJson json;
  json.vocab = R"(["▁", -9.5], ["▁He", -2], ["llo", -2], ["l", -3], ["o", -3], ["▁w", -2])";
  folder.write("tokenizer.json", json.text());
  folder.write("tokenizer_config.json", R"({"model_max_length": 512, "mask_token": {"content": "[MASK]"}})");
  const Outcome outcome = break_file(folder, "tokenizer.json", 300);
  CHECK(outcome.refused >= 100);
  CHECK(break_file(folder, "tokenizer_config.json", 60).refused >= 20);
}

TEST_CASE("a broken charsmap: every unit of the double array hostile") {
  const SentencePieceModel model =
      read_sentencepiece_model(read_bytes(fixture("tokenizers/tiny-en-2k/spm.model")), "spm.model");
  REQUIRE(model.charsmap.size() > 1000);
  Random random(1);
  for (int round = 0; round < 60; ++round) {
    std::string blob = model.charsmap;
    uint32_t array_bytes = 0;
    std::memcpy(&array_bytes, blob.data(), 4);
    for (size_t i = 4; i < 4 + array_bytes; ++i) {
      if (random.below(4) == 0) blob[i] = static_cast<char>(random.below(256));
    }
    const Charsmap charsmap(blob, "charsmap");
    for (int text = 0; text < 200; ++text) {
      std::string bytes;
      for (int i = 0; i < 12; ++i) bytes += static_cast<char>(random.below(256));
      const Charsmap::Match match = charsmap.longest_match(bytes);
      CHECK(match.length <= bytes.size());
      CHECK(match.replacement.size() <= charsmap.longest_replacement());
    }
  }
  for (const size_t size : {1, 3, 4, 5, 8, 100}) {
    CHECK_THROWS_AS(Charsmap(model.charsmap.substr(0, size), "charsmap"), Error);
  }
  CHECK_THROWS_AS(Charsmap(std::string("\x04\0\0\0\0\0\0\0", 8) + std::string(2000, 'x') + '\0', "charsmap"), Error);
}

/// A field of a protocol buffer message.
std::string field(int number, const std::string& bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  for (size_t n = bytes.size();; n >>= 7) {
    out += static_cast<char>((n & 0x7F) | (n >= 0x80 ? 0x80 : 0));
    if (n < 0x80) return out + bytes;
  }
}

std::string piece(const std::string& text, int type) {
  return field(1, field(1, text) + std::string("\x15\0\0\x80\xBF", 5) + '\x18' + static_cast<char>(type));
}

std::string refusal(const std::string& bytes) {
  try {
    read_sentencepiece_model(bytes, "spm.model");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kTOKENIZER_FILE);
    return error.what();
  }
  return "";
}

TEST_CASE("spm.model: what a model may not say is refused by name") {
  const std::string valid = piece("<unk>", 2) + piece("a", 1);
  CHECK(refusal(valid).empty());
  const auto mentions = [](const std::string& message, const char* word) {
    CHECK_MESSAGE(message.find(word) != std::string::npos, message);
  };
  mentions(refusal(piece("a", 1)), "unknown piece");
  mentions(refusal(valid + piece("<unk2>", 2)), "second unknown");
  mentions(refusal(valid + piece("", 1)), "empty");
  mentions(refusal(valid + piece("\xFF", 1)), "UTF-8");
  mentions(refusal(valid + piece(std::string("a\0b", 3), 1)), "NUL");
  mentions(refusal(valid + piece(std::string(8000, 'a'), 1)), "8000");
  mentions(refusal(valid + piece("a", 9)), "type");
  mentions(refusal(valid + piece("<0x41>", 6)), "byte_fallback");
  mentions(refusal(valid + field(2, "\x18\x02")), "bpe");
  mentions(refusal(valid + field(2, "\xC0\x01\x01")), "treat_whitespace_as_suffix");
  mentions(refusal(valid + field(2, "\x98\x02\x01")), "256 byte pieces");
  mentions(refusal(valid + "\x0A"), "end of a message");
  mentions(refusal(valid + "\x0A\x05x"), "beyond its message");
  mentions(refusal(valid + "\x0B"), "wire type");
  mentions(refusal(valid + std::string(11, '\xFF')), "ten bytes");
}

}  // namespace
}  // namespace deberta
