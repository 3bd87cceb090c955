// What a pickle may hold once read: plain Python values, and torch tensors described but not yet located. Values are
// small handles into a PickleHeap, as pickles share and may even cycle; strings are views into the file.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "io/checkpoint_tensor.h"

namespace deberta {

class PickleValue;
struct PickleStorage;
struct PickleTensor;
using PickleList = std::vector<PickleValue>;
using PickleDict =
    std::vector<std::pair<PickleValue, PickleValue>>;  // in the file's order; a later key wins, as in Python

/// The callables a pickle may name. There are no others, and calling them builds values only.
enum class PickleGlobal : uint8_t { kOrderedDict, kRebuildTensor, kRebuildParameter, kSize, kStorageType };

class PickleValue {
 public:
  enum class Kind : uint8_t {
    kNone,
    kBool,
    kInteger,
    kBigInteger,
    kFloat,
    kString,
    kBytes,
    kTuple,
    kList,
    kDict,
    kStorage,
    kTensor,
    kGlobal
  };

  PickleValue() = default;
  static PickleValue of_bool(bool value);
  static PickleValue of_integer(int64_t value);
  static PickleValue of_big_integer(std::string_view little_endian);
  static PickleValue of_float(double value);
  static PickleValue of_string(std::string_view value);
  static PickleValue of_bytes(std::string_view value);
  static PickleValue of_tuple(PickleList* items);
  static PickleValue of_list(PickleList* items);
  static PickleValue of_dict(PickleDict* members);
  static PickleValue of_storage(PickleStorage* storage);
  static PickleValue of_tensor(PickleTensor* tensor);
  static PickleValue of_global(PickleGlobal global, FileDType storage_dtype = FileDType::kFloat32);

  Kind kind() const { return kind_; }

  /// The payload, or nothing when the value is of another kind.
  std::optional<bool> as_bool() const;
  std::optional<int64_t> as_integer() const;
  std::optional<double> as_float() const;
  std::optional<std::string_view> as_string() const;       // UTF-8
  std::optional<std::string_view> as_big_integer() const;  // two's complement, little endian, beyond 64 bits
  const PickleList* as_sequence() const;                   // of a tuple or a list
  PickleList* as_list() const;
  PickleDict* as_dict() const;
  PickleStorage* as_storage() const;
  PickleTensor* as_tensor() const;
  std::optional<PickleGlobal> as_global() const;
  FileDType storage_dtype() const { return storage_dtype_; }  // of the global kStorageType

  /// The value of a string key of a dict, or nullptr; linear in the dict.
  const PickleValue* find(std::string_view key) const;

  /// "a string", "the integer 3", ...: for error messages.
  std::string describe() const;

 private:
  Kind kind_ = Kind::kNone;
  PickleGlobal global_ = PickleGlobal::kOrderedDict;
  FileDType storage_dtype_ = FileDType::kFloat32;
  uint32_t length_ = 0;  // of text and bytes
  union {
    int64_t integer_ = 0;
    double number_;
    const char* text_;
    PickleList* list_;
    PickleDict* dict_;
    PickleStorage* storage_;
    PickleTensor* tensor_;
  };
};

/// ("storage", type, key, location, number of elements): the bytes are elsewhere in the file, under `key`.
struct PickleStorage {
  std::string_view key;
  FileDType dtype = FileDType::kFloat32;
  int64_t elements = 0;
};

/// A view of a storage, in elements. Nothing is checked against the storage yet but signs and ranks.
struct PickleTensor {
  const PickleStorage* storage = nullptr;
  int64_t offset = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> stride;
};

/// Owns what values point to; frees it without walking it, so neither depth nor cycles matter.
struct PickleHeap {
  std::deque<PickleList> lists;
  std::deque<PickleDict> dicts;
  std::deque<PickleStorage> storages;
  std::deque<PickleTensor> tensors;
};

}  // namespace deberta
