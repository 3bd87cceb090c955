// Look-up, typed getters and their messages. The parser is json_reader.cpp.
#include "io/json_value.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>
#include <utility>

namespace deberta {
namespace {

constexpr size_t kLinearSearchLimit = 8;  // members; below it a scan beats the index

size_t hash_of(std::string_view key) { return std::hash<std::string_view>{}(key); }

bool present(const JsonValue* value) { return value != nullptr && !value->is_null(); }

}  // namespace

JsonValue::JsonValue() = default;
JsonValue::JsonValue(bool value) : value_(value) {}
JsonValue::JsonValue(int64_t value) : value_(value) {}
JsonValue::JsonValue(double value) : value_(value) {}
JsonValue::JsonValue(std::string value) : value_(std::move(value)) {}
JsonValue::JsonValue(JsonArray value) : value_(std::move(value)) {}
JsonValue::JsonValue(std::unique_ptr<JsonObject> value) : value_(std::move(value)) {}
JsonValue::~JsonValue() = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;

const JsonObject* JsonValue::as_object() const {
  const auto* object = std::get_if<std::unique_ptr<JsonObject>>(&value_);
  return object ? object->get() : nullptr;
}

std::optional<int64_t> JsonValue::as_integer() const {
  if (const auto* integer = std::get_if<int64_t>(&value_)) return *integer;
  const auto* number = std::get_if<double>(&value_);
  if (number == nullptr || std::abs(*number) > 0x1p53 || std::trunc(*number) != *number) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<double> JsonValue::as_number() const {
  if (const auto* number = std::get_if<double>(&value_)) return *number;
  if (const auto* integer = std::get_if<int64_t>(&value_)) return static_cast<double>(*integer);
  return std::nullopt;
}

std::string JsonValue::describe() const {
  if (const auto* integer = std::get_if<int64_t>(&value_)) return "the number " + std::to_string(*integer);
  if (const auto* number = std::get_if<double>(&value_)) return "the number " + std::to_string(*number);
  if (as_string()) return "a string";
  if (as_array()) return "an array";
  if (as_object()) return "an object";
  return as_bool() ? "a boolean" : "null";
}

JsonObject::JsonObject(std::vector<JsonMember> members) : members_(std::move(members)) {
  if (members_.size() <= kLinearSearchLimit) return;
  index_.resize(members_.size());
  for (size_t i = 0; i < members_.size(); ++i) index_[i] = {hash_of(members_[i].key), static_cast<uint32_t>(i)};
  std::sort(index_.begin(), index_.end(), [this](const Slot& a, const Slot& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    return std::tie(members_[a.member].key, a.member) < std::tie(members_[b.member].key, b.member);
  });
}

const JsonValue* JsonObject::find(std::string_view key) const {
  if (index_.empty()) {
    for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
      if (member->key == key) return &member->value;
    }
    return nullptr;
  }
  const size_t hash = hash_of(key);
  const auto after =
      std::upper_bound(index_.begin(), index_.end(), key, [&](std::string_view wanted, const Slot& slot) {
        return hash != slot.hash ? hash < slot.hash : wanted < members_[slot.member].key;
      });
  if (after == index_.begin()) return nullptr;
  const JsonMember& member = members_[std::prev(after)->member];
  return member.key == key ? &member.value : nullptr;
}

const std::string* JsonObject::duplicate_key() const {
  if (index_.empty()) {
    for (size_t i = 0; i < members_.size(); ++i) {
      if (find(members_[i].key) != &members_[i].value) return &members_[i].key;
    }
    return nullptr;
  }
  const auto same = std::adjacent_find(index_.begin(), index_.end(), [this](const Slot& a, const Slot& b) {
    return a.hash == b.hash && members_[a.member].key == members_[b.member].key;
  });
  return same == index_.end() ? nullptr : &members_[same->member].key;
}

JsonDocument::JsonDocument(JsonValue root, std::string file, ErrorCode code)
    : root_(std::move(root)), file_(std::move(file)), code_(code) {}

const JsonObject& JsonDocument::root_object() const { return expect_object(root_, "the document"); }

void JsonDocument::fail(std::string_view where, std::string_view message) const {
  throw Error(code_, file_ + ": " + std::string(where) + ": " + std::string(message));
}

const JsonValue& JsonDocument::at(const JsonObject& object, std::string_view key) const {
  const JsonValue* value = object.find(key);
  if (value == nullptr) fail(key, "is missing");
  return *value;
}

// One checked conversion of each kind; the getters below are look-up plus conversion.
const std::string& JsonDocument::expect_string(const JsonValue& value, std::string_view where) const {
  if (const std::string* string = value.as_string()) return *string;
  fail(where, "expected a string, found " + value.describe());
}
int64_t JsonDocument::expect_integer(const JsonValue& value, std::string_view where) const {
  if (const auto integer = value.as_integer()) return *integer;
  fail(where, "expected an integer, found " + value.describe());
}
double JsonDocument::expect_number(const JsonValue& value, std::string_view where) const {
  if (const auto number = value.as_number()) return *number;
  fail(where, "expected a number, found " + value.describe());
}
bool JsonDocument::expect_bool(const JsonValue& value, std::string_view where) const {
  if (const bool* boolean = value.as_bool()) return *boolean;
  fail(where, "expected true or false, found " + value.describe());
}
const JsonArray& JsonDocument::expect_array(const JsonValue& value, std::string_view where) const {
  if (const JsonArray* array = value.as_array()) return *array;
  fail(where, "expected an array, found " + value.describe());
}
const JsonObject& JsonDocument::expect_object(const JsonValue& value, std::string_view where) const {
  if (const JsonObject* object = value.as_object()) return *object;
  fail(where, "expected an object, found " + value.describe());
}

const std::string& JsonDocument::string_at(const JsonObject& object, std::string_view key) const {
  return expect_string(at(object, key), key);
}
int64_t JsonDocument::integer_at(const JsonObject& object, std::string_view key) const {
  return expect_integer(at(object, key), key);
}
double JsonDocument::number_at(const JsonObject& object, std::string_view key) const {
  return expect_number(at(object, key), key);
}
bool JsonDocument::bool_at(const JsonObject& object, std::string_view key) const {
  return expect_bool(at(object, key), key);
}
const JsonArray& JsonDocument::array_at(const JsonObject& object, std::string_view key) const {
  return expect_array(at(object, key), key);
}
const JsonObject& JsonDocument::object_at(const JsonObject& object, std::string_view key) const {
  return expect_object(at(object, key), key);
}

std::string JsonDocument::string_or(const JsonObject& object, std::string_view key, std::string fallback) const {
  const JsonValue* value = object.find(key);
  return present(value) ? expect_string(*value, key) : std::move(fallback);
}
int64_t JsonDocument::integer_or(const JsonObject& object, std::string_view key, int64_t fallback) const {
  const JsonValue* value = object.find(key);
  return present(value) ? expect_integer(*value, key) : fallback;
}
double JsonDocument::number_or(const JsonObject& object, std::string_view key, double fallback) const {
  const JsonValue* value = object.find(key);
  return present(value) ? expect_number(*value, key) : fallback;
}
bool JsonDocument::bool_or(const JsonObject& object, std::string_view key, bool fallback) const {
  const JsonValue* value = object.find(key);
  return present(value) ? expect_bool(*value, key) : fallback;
}
const JsonArray* JsonDocument::array_or_null(const JsonObject& object, std::string_view key) const {
  const JsonValue* value = object.find(key);
  return present(value) ? &expect_array(*value, key) : nullptr;
}
const JsonObject* JsonDocument::object_or_null(const JsonObject& object, std::string_view key) const {
  const JsonValue* value = object.find(key);
  return present(value) ? &expect_object(*value, key) : nullptr;
}

}  // namespace deberta
