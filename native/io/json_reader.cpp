// Recursive descent over the bytes. Children are gathered on one stack and moved into arrays of their exact size, so
// that growing vectors never double a large vocabulary's memory.
#include "io/json_reader.h"

#include <charconv>
#include <iterator>
#include <system_error>
#include <utility>

#include "io/mapped_file.h"
#include "io/utf8.h"

namespace deberta {
namespace {

class Parser {
 public:
  Parser(std::string_view text, const std::string& file, const JsonOptions& options)
      : text_(text), file_(file), options_(options) {}

  JsonValue document() {
    if (text_.starts_with("\xEF\xBB\xBF")) fail("a byte order mark is not part of JSON");
    JsonValue value = parse_value(0);
    skip_space();
    if (at_ != text_.size()) fail("expected the end of the text after the value, found " + found());
    return value;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(options_.code, file_ + ": invalid JSON at byte " + std::to_string(at_) + ": " + message);
  }

  std::string found() const {
    if (at_ >= text_.size()) return "the end of the text";
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte > 0x20 && byte < 0x7f) return std::string("'") + text_[at_] + "'";
    return "byte " + std::to_string(byte);
  }

  int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool consume(char wanted) {
    skip_space();
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  JsonValue parse_value(int depth) {
    skip_space();
    if (++values_ > options_.max_values) {
      fail("expected at most " + std::to_string(options_.max_values) + " values, found more");
    }
    switch (peek()) {
      case '{':
        return parse_object(depth + 1);
      case '[':
        return parse_array(depth + 1);
      case '"':
        return JsonValue(parse_string());
      case 't':
        return parse_word("true", JsonValue(true));
      case 'f':
        return parse_word("false", JsonValue(false));
      case 'n':
        return parse_word("null", JsonValue());
      default:
        return parse_number();
    }
  }

  JsonValue parse_word(std::string_view word, JsonValue value) {
    if (!text_.substr(at_).starts_with(word)) fail("expected a value, found an unknown word");
    at_ += word.size();
    return value;
  }

  void enter(int depth) {
    if (depth > options_.max_depth) {
      fail("expected at most " + std::to_string(options_.max_depth) + " nested arrays and objects, found more");
    }
    ++at_;
  }

  JsonValue parse_array(int depth) {
    enter(depth);
    const size_t first = elements_.size();
    if (!consume(']')) {
      do {
        elements_.push_back(parse_value(depth));
      } while (consume(','));
      if (!consume(']')) fail("expected ',' or ']' in an array, found " + found());
    }
    const auto begin = elements_.begin() + static_cast<ptrdiff_t>(first);
    JsonArray array(std::make_move_iterator(begin), std::make_move_iterator(elements_.end()));
    elements_.erase(begin, elements_.end());
    return JsonValue(std::move(array));
  }

  JsonValue parse_object(int depth) {
    const size_t start = at_;
    enter(depth);
    const size_t first = members_.size();
    if (!consume('}')) {
      do {
        skip_space();
        if (peek() != '"') fail("expected a key in quotes, found " + found());
        std::string key = parse_string();
        if (!consume(':')) fail("expected ':' after a key, found " + found());
        JsonValue value = parse_value(depth);
        members_.push_back({std::move(key), std::move(value)});
      } while (consume(','));
      if (!consume('}')) fail("expected ',' or '}' in an object, found " + found());
    }
    const auto begin = members_.begin() + static_cast<ptrdiff_t>(first);
    auto object = std::make_unique<JsonObject>(
        std::vector<JsonMember>(std::make_move_iterator(begin), std::make_move_iterator(members_.end())));
    members_.erase(begin, members_.end());
    if (options_.refuse_duplicate_keys && object->duplicate_key()) {
      at_ = start;
      fail("the object has the key \"" + printable(*object->duplicate_key()) + "\" twice");
    }
    return JsonValue(std::move(object));
  }

  // The value of a string. Runs without escapes are copied whole.
  std::string parse_string() {
    ++at_;
    std::string out;
    for (;;) {
      const size_t run = at_;
      while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
      out.append(text_, run, at_ - run);
      const int byte = peek();
      if (byte == '"') {
        ++at_;
        return out;
      }
      if (byte < 0) fail("expected '\"' at the end of a string, found the end of the text");
      if (byte < 0x20) fail("a control character must be escaped in a string, found " + found());
      byte == '\\' ? parse_escape(out) : parse_multibyte(out);
    }
  }

  static bool is_plain(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
  }

  void parse_multibyte(std::string& out) {
    const size_t length = utf8_sequence_length(text_.substr(at_));
    if (length == 0) fail("expected UTF-8, found " + found());
    out.append(text_, at_, length);
    at_ += length;
  }

  void parse_escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    ++at_;
    const int name = peek();
    if (name == 'u') {
      ++at_;
      append_utf8(out, parse_escaped_code_point());
      return;
    }
    const size_t known = name < 0 ? std::string_view::npos : kNames.find(static_cast<char>(name));
    if (known == std::string_view::npos) fail("unknown escape in a string: " + found());
    out.push_back(kValues[known]);
    ++at_;
  }

  char32_t parse_escaped_code_point() {
    const uint32_t first = parse_hex4();
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || !text_.substr(at_).starts_with("\\u")) fail("a \\u escape is one half of a surrogate pair");
    at_ += 2;
    const uint32_t second = parse_hex4();
    if (second < 0xDC00 || second > 0xDFFF) fail("a \\u escape is one half of a surrogate pair");
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  }

  uint32_t parse_hex4() {
    uint32_t value = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end != digits.data() + 4) fail("expected four hexadecimal digits after \\u");
    at_ += 4;
    return value;
  }

  size_t skip_digits() {
    const size_t first = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ - first;
  }

  // -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?
  JsonValue parse_number() {
    const size_t start = at_;
    if (peek() == '-') ++at_;
    const bool leading_zero = peek() == '0';
    const size_t digits = skip_digits();
    if (digits == 0) fail("expected a value, found " + found());
    if (leading_zero && digits > 1) fail("a number must not start with a zero");
    bool integral = true;
    if (peek() == '.') {
      ++at_;
      integral = false;
      if (skip_digits() == 0) fail("expected a digit after the decimal point, found " + found());
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      integral = false;
      if (peek() == '+' || peek() == '-') ++at_;
      if (skip_digits() == 0) fail("expected a digit in the exponent, found " + found());
    }
    return number_value(text_.substr(start, at_ - start), integral);
  }

  JsonValue number_value(std::string_view token, bool integral) const {
    const char* end = token.data() + token.size();
    int64_t integer = 0;
    if (integral && token != "-0" && std::from_chars(token.data(), end, integer).ec == std::errc()) {
      return JsonValue(integer);
    }
    double number = 0;
    if (std::from_chars(token.data(), end, number).ec != std::errc()) fail("a number is outside the range of float64");
    return JsonValue(number);
  }

  std::string_view text_;
  const std::string& file_;
  const JsonOptions& options_;
  size_t at_ = 0;
  size_t values_ = 0;
  std::vector<JsonValue> elements_;  // of the arrays that are open
  std::vector<JsonMember> members_;  // of the objects that are open
};

}  // namespace

JsonDocument parse_json(std::string_view text, const std::string& file, const JsonOptions& options) {
  return JsonDocument(Parser(text, file, options).document(), file, options.code);
}

JsonDocument read_json_file(const std::string& path, const JsonOptions& options) {
  const auto file = MappedFile::open(path);
  return parse_json(file->text(), path, options);
}

}  // namespace deberta
