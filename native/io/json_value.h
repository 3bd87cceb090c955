// A parsed JSON value, and a document whose typed getters name file, key, expectation and finding when they fail.
// Parsing is json_reader.h. Values move and are never copied: a tokenizer.json holds millions of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace deberta {

class JsonValue;
class JsonObject;
struct JsonMember;
using JsonArray = std::vector<JsonValue>;

/// 40 bytes. `as_*()` give the payload, or nullptr when the value is of another kind.
class JsonValue {
 public:
  JsonValue();  // null
  explicit JsonValue(bool value);
  explicit JsonValue(int64_t value);
  explicit JsonValue(double value);
  explicit JsonValue(std::string value);
  explicit JsonValue(JsonArray value);
  explicit JsonValue(std::unique_ptr<JsonObject> value);
  ~JsonValue();
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(JsonValue&&) noexcept;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  const bool* as_bool() const { return std::get_if<bool>(&value_); }
  const std::string* as_string() const { return std::get_if<std::string>(&value_); }
  const JsonArray* as_array() const { return std::get_if<JsonArray>(&value_); }
  const JsonObject* as_object() const;

  /// An integer: written as one and within int64, or a float with an integral value of magnitude <= 2^53 ("2.0").
  std::optional<int64_t> as_integer() const;

  /// Any number, as the nearest double.
  std::optional<double> as_number() const;

  /// "null", "a boolean", "the number 3", "a string", "an array", "an object": for error messages.
  std::string describe() const;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, JsonArray, std::unique_ptr<JsonObject>> value_;
};

struct JsonMember {
  std::string key;
  JsonValue value;
};

/// Members in the file's order, with look-up by key in logarithmic time.
class JsonObject {
 public:
  explicit JsonObject(std::vector<JsonMember> members);

  const std::vector<JsonMember>& members() const { return members_; }
  size_t size() const { return members_.size(); }

  /// The value of `key`, or nullptr. Of duplicates (where the reader allowed them) the last one.
  const JsonValue* find(std::string_view key) const;

  /// A key that occurs twice, or nullptr.
  const std::string* duplicate_key() const;

 private:
  struct Slot {
    size_t hash;
    uint32_t member;
  };

  std::vector<JsonMember> members_;
  std::vector<Slot>
      index_;  // sorted by (hash, key, member): no input makes it slower than n log n. Empty for few members.
};

/// A parsed file. Getters take an object of it and a key; all throw `code()` with "file: key: expected ..., found ...".
class JsonDocument {
 public:
  JsonDocument(JsonValue root, std::string file, ErrorCode code);

  const JsonValue& root() const { return root_; }
  const std::string& file() const { return file_; }
  ErrorCode code() const { return code_; }

  /// The root, which must be an object.
  const JsonObject& root_object() const;

  /// A member that must be there.
  const JsonValue& at(const JsonObject& object, std::string_view key) const;
  const std::string& string_at(const JsonObject& object, std::string_view key) const;
  int64_t integer_at(const JsonObject& object, std::string_view key) const;
  double number_at(const JsonObject& object, std::string_view key) const;
  bool bool_at(const JsonObject& object, std::string_view key) const;
  const JsonArray& array_at(const JsonObject& object, std::string_view key) const;
  const JsonObject& object_at(const JsonObject& object, std::string_view key) const;

  /// A member that may be absent or null, which gives `fallback`; any other wrong kind throws.
  std::string string_or(const JsonObject& object, std::string_view key, std::string fallback) const;
  int64_t integer_or(const JsonObject& object, std::string_view key, int64_t fallback) const;
  double number_or(const JsonObject& object, std::string_view key, double fallback) const;
  bool bool_or(const JsonObject& object, std::string_view key, bool fallback) const;
  const JsonArray* array_or_null(const JsonObject& object, std::string_view key) const;
  const JsonObject* object_or_null(const JsonObject& object, std::string_view key) const;

  /// A value found by other means; `where` ("model.vocab[3]") is what the error calls it.
  const std::string& expect_string(const JsonValue& value, std::string_view where) const;
  int64_t expect_integer(const JsonValue& value, std::string_view where) const;
  double expect_number(const JsonValue& value, std::string_view where) const;
  bool expect_bool(const JsonValue& value, std::string_view where) const;
  const JsonArray& expect_array(const JsonValue& value, std::string_view where) const;
  const JsonObject& expect_object(const JsonValue& value, std::string_view where) const;

  /// Throws code() with "file: where: message".
  [[noreturn]] void fail(std::string_view where, std::string_view message) const;

 private:
  JsonValue root_;
  std::string file_;
  ErrorCode code_;
};

}  // namespace deberta
