// How the external fixtures are found, and what counts as equal. See golden_check.h.
#include "golden_check.h"

#include <doctest.h>

#include <cstdlib>
#include <fstream>

#include "io/json_reader.h"
#include "io/mapped_file.h"
#include "tokenizer/unicode_classes.h"

namespace deberta {

std::u16string to_utf16(std::string_view utf8) {
  std::u16string out;
  for (size_t i = 0; i < utf8.size();) {
    const CodePoint c = decode_utf8(utf8.data() + i);
    i += c.length;
    if (c.value < 0x10000) {
      out += static_cast<char16_t>(c.value);
    } else {
      out += static_cast<char16_t>(0xD800 + ((c.value - 0x10000) >> 10));
      out += static_cast<char16_t>(0xDC00 + (c.value & 0x3FF));
    }
  }
  return out;
}

std::vector<GoldenLine> read_golden(const std::string& path) {
  std::ifstream in(path);
  REQUIRE_MESSAGE(in.good(), path);
  std::vector<GoldenLine> golden;
  for (std::string line; std::getline(in, line);) {
    const JsonDocument document = parse_json(line, path);
    const JsonObject& object = document.root_object();
    GoldenLine entry;
    entry.text = document.string_at(object, "text");
    for (const JsonValue& id : document.array_at(object, "ids")) {
      entry.ids.push_back(static_cast<int32_t>(*id.as_integer()));
    }
    for (const JsonValue& token : document.array_at(object, "tokens")) entry.tokens.push_back(*token.as_string());
    for (const JsonValue& range : document.array_at(object, "offsets")) {
      for (const JsonValue& end : *range.as_array()) entry.offsets.push_back(static_cast<int32_t>(*end.as_integer()));
    }
    golden.push_back(std::move(entry));
  }
  return golden;
}

int count_differences(const Tokenizer& tokenizer, const std::vector<GoldenLine>& golden) {
  EncodeOptions options;
  options.add_special_tokens = false;
  options.offsets = true;
  EncodeOptions without_offsets = options;
  without_offsets.offsets = false;
  int differences = 0;
  for (const GoldenLine& line : golden) {
    const std::u16string text = to_utf16(line.text);
    const Encoding encoding = tokenizer.encode(text, nullptr, options).at(0);
    std::vector<std::string> tokens;
    for (const int32_t id : encoding.input_ids) tokens.push_back(tokenizer.id_to_token(id));
    const bool equal = encoding.input_ids == line.ids && tokens == line.tokens && encoding.offsets == line.offsets &&
                       tokenizer.encode(text, nullptr, without_offsets).at(0).input_ids == line.ids;
    CHECK_MESSAGE(equal, line.text);
    differences += !equal;
  }
  return differences;
}

std::string fixture(const std::string& name) { return std::string(DEBERTA_TEST_FIXTURES "/") + name; }

std::string in_repository(const std::string& name) { return std::string(DEBERTA_TEST_REPOSITORY "/") + name; }

std::optional<std::string> external_fixture(const std::string& name) {
  const char* root = std::getenv("DEBERTA_SHARED_FIXTURES");
  const std::string path =
      join_path(root ? root : DEBERTA_TEST_REPOSITORY "/../shared/fixtures", join_path("external", name));
  if (std::ifstream(join_path(path, "golden.jsonl")).good()) return path;
  MESSAGE("not checked, as it is not here: " << path);
  return std::nullopt;
}

std::vector<int32_t> ids_of(const Tokenizer& tokenizer, std::u16string_view text) {
  EncodeOptions options;
  options.add_special_tokens = false;
  return tokenizer.encode(text, nullptr, options).at(0).input_ids;
}

}  // namespace deberta
