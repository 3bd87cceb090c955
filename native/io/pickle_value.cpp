// Construction, access and description of pickle values.
#include "io/pickle_value.h"

#include <string>

#include "io/utf8.h"

namespace deberta {
namespace {
using Kind = PickleValue::Kind;
}  // namespace

PickleValue PickleValue::of_bool(bool value) {
  PickleValue out;
  out.kind_ = Kind::kBool;
  out.integer_ = value ? 1 : 0;
  return out;
}

PickleValue PickleValue::of_integer(int64_t value) {
  PickleValue out;
  out.kind_ = Kind::kInteger;
  out.integer_ = value;
  return out;
}

PickleValue PickleValue::of_float(double value) {
  PickleValue out;
  out.kind_ = Kind::kFloat;
  out.number_ = value;
  return out;
}

PickleValue PickleValue::of_string(std::string_view value) {
  PickleValue out;
  out.kind_ = Kind::kString;
  out.text_ = value.data();
  out.length_ = static_cast<uint32_t>(value.size());
  return out;
}

PickleValue PickleValue::of_bytes(std::string_view value) {
  PickleValue out = of_string(value);
  out.kind_ = Kind::kBytes;
  return out;
}

PickleValue PickleValue::of_big_integer(std::string_view little_endian) {
  PickleValue out = of_string(little_endian);
  out.kind_ = Kind::kBigInteger;
  return out;
}

PickleValue PickleValue::of_tuple(PickleList* items) {
  PickleValue out = of_list(items);
  out.kind_ = Kind::kTuple;
  return out;
}

PickleValue PickleValue::of_list(PickleList* items) {
  PickleValue out;
  out.kind_ = Kind::kList;
  out.list_ = items;
  return out;
}

PickleValue PickleValue::of_dict(PickleDict* members) {
  PickleValue out;
  out.kind_ = Kind::kDict;
  out.dict_ = members;
  return out;
}

PickleValue PickleValue::of_storage(PickleStorage* storage) {
  PickleValue out;
  out.kind_ = Kind::kStorage;
  out.storage_ = storage;
  return out;
}

PickleValue PickleValue::of_tensor(PickleTensor* tensor) {
  PickleValue out;
  out.kind_ = Kind::kTensor;
  out.tensor_ = tensor;
  return out;
}

PickleValue PickleValue::of_global(PickleGlobal global, FileDType storage_dtype) {
  PickleValue out;
  out.kind_ = Kind::kGlobal;
  out.global_ = global;
  out.storage_dtype_ = storage_dtype;
  return out;
}

std::optional<bool> PickleValue::as_bool() const {
  return kind_ == Kind::kBool ? std::optional(integer_ != 0) : std::nullopt;
}
std::optional<int64_t> PickleValue::as_integer() const {
  return kind_ == Kind::kInteger ? std::optional(integer_) : std::nullopt;
}
std::optional<double> PickleValue::as_float() const {
  return kind_ == Kind::kFloat ? std::optional(number_) : std::nullopt;
}
std::optional<std::string_view> PickleValue::as_string() const {
  return kind_ == Kind::kString ? std::optional(std::string_view(text_, length_)) : std::nullopt;
}
std::optional<std::string_view> PickleValue::as_big_integer() const {
  return kind_ == Kind::kBigInteger ? std::optional(std::string_view(text_, length_)) : std::nullopt;
}
const PickleList* PickleValue::as_sequence() const {
  return kind_ == Kind::kTuple || kind_ == Kind::kList ? list_ : nullptr;
}
PickleList* PickleValue::as_list() const { return kind_ == Kind::kList ? list_ : nullptr; }
PickleDict* PickleValue::as_dict() const { return kind_ == Kind::kDict ? dict_ : nullptr; }
PickleStorage* PickleValue::as_storage() const { return kind_ == Kind::kStorage ? storage_ : nullptr; }
PickleTensor* PickleValue::as_tensor() const { return kind_ == Kind::kTensor ? tensor_ : nullptr; }
std::optional<PickleGlobal> PickleValue::as_global() const {
  return kind_ == Kind::kGlobal ? std::optional(global_) : std::nullopt;
}

const PickleValue* PickleValue::find(std::string_view key) const {
  if (kind_ != Kind::kDict) return nullptr;
  for (auto member = dict_->rbegin(); member != dict_->rend(); ++member) {
    if (member->first.as_string() == key) return &member->second;
  }
  return nullptr;
}

std::string PickleValue::describe() const {
  switch (kind_) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return "a bool";
    case Kind::kInteger:
      return "the integer " + std::to_string(integer_);
    case Kind::kBigInteger:
      return "an integer beyond 64 bits";
    case Kind::kFloat:
      return "a float";
    case Kind::kString:
      return "the string \"" + printable({text_, length_}, 40) + "\"";
    case Kind::kBytes:
      return "bytes";
    case Kind::kTuple:
      return "a tuple";
    case Kind::kList:
      return "a list";
    case Kind::kDict:
      return "a dict";
    case Kind::kStorage:
      return "a storage";
    case Kind::kTensor:
      return "a tensor";
    case Kind::kGlobal:
      return "a callable";
  }
  return "an unknown value";
}

}  // namespace deberta
