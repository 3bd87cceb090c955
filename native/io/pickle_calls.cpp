// What the callables of the closed table do. Each builds a value from plain arguments; none touches anything else.
#include "io/pickle_calls.h"

#include <string>
#include <utility>
#include <vector>

#include "io/utf8.h"

namespace deberta {
namespace {

struct GlobalRow {
  const char* module;
  const char* name;
  PickleGlobal global;
  FileDType storage_dtype;
};

// The whole list of what a file may name.
constexpr GlobalRow kGlobals[] = {
    {"collections", "OrderedDict", PickleGlobal::kOrderedDict, {}},
    {"torch._utils", "_rebuild_tensor_v2", PickleGlobal::kRebuildTensor, {}},
    {"torch._utils", "_rebuild_parameter", PickleGlobal::kRebuildParameter, {}},
    {"torch", "Size", PickleGlobal::kSize, {}},
    {"torch", "DoubleStorage", PickleGlobal::kStorageType, FileDType::kFloat64},
    {"torch", "FloatStorage", PickleGlobal::kStorageType, FileDType::kFloat32},
    {"torch", "HalfStorage", PickleGlobal::kStorageType, FileDType::kFloat16},
    {"torch", "BFloat16Storage", PickleGlobal::kStorageType, FileDType::kBFloat16},
    {"torch", "LongStorage", PickleGlobal::kStorageType, FileDType::kInt64},
    {"torch", "IntStorage", PickleGlobal::kStorageType, FileDType::kInt32},
    {"torch", "ShortStorage", PickleGlobal::kStorageType, FileDType::kInt16},
    {"torch", "CharStorage", PickleGlobal::kStorageType, FileDType::kInt8},
    {"torch", "ByteStorage", PickleGlobal::kStorageType, FileDType::kUInt8},
    {"torch", "BoolStorage", PickleGlobal::kStorageType, FileDType::kBool},
};

constexpr size_t kMaxRank = 16;

class Calls {
 public:
  explicit Calls(PickleContext& context) : context_(context) {}

  PickleValue reduce(PickleValue callable, PickleValue arguments) {
    if (arguments.kind() != PickleValue::Kind::kTuple) {
      fail("expected a tuple of arguments, found " + arguments.describe());
    }
    const PickleList& items = *arguments.as_sequence();
    const auto known = callable.as_global();
    if (!known) fail("expected something callable, found " + callable.describe());
    switch (*known) {
      case PickleGlobal::kOrderedDict:
        return ordered_dict(items);
      case PickleGlobal::kRebuildTensor:
        return rebuild_tensor(items);
      case PickleGlobal::kRebuildParameter:  // (tensor, requires_grad, backward_hooks)
        if (items.size() != 3 || !items[0].as_tensor()) fail("expected _rebuild_parameter(tensor, bool, hooks)");
        return items[0];
      case PickleGlobal::kSize:
        if (items.size() != 1 || !items[0].as_sequence()) fail("expected torch.Size(tuple)");
        return items[0];
      case PickleGlobal::kStorageType:
        break;
    }
    fail("a storage type is not callable");
  }

  /// ("storage", type, key, location, elements[, view]); views of storages went out of use with torch 0.4.
  PickleValue persistent_storage(PickleValue id) {
    const PickleList* items = id.kind() == PickleValue::Kind::kTuple ? id.as_sequence() : nullptr;
    if (!items || (items->size() != 5 && items->size() != 6) || (*items)[0].as_string() != "storage") {
      fail("expected a persistent id (\"storage\", type, key, location, elements), found " + id.describe());
    }
    const PickleValue type = (*items)[1];
    const auto key = (*items)[2].as_string();
    if (type.as_global() != PickleGlobal::kStorageType || !key) fail("expected the type and key of a storage");
    if (items->size() == 6 && (*items)[5].kind() != PickleValue::Kind::kNone) {
      fail("views of storages are not supported");
    }
    const int64_t elements = non_negative((*items)[4], "the elements of a storage");
    return PickleValue::of_storage(
        &context_.heap.storages.emplace_back(PickleStorage{*key, type.storage_dtype(), elements}));
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { context_.fail(message); }

  /// OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
  PickleValue ordered_dict(const PickleList& arguments) {
    PickleDict& dict = context_.heap.dicts.emplace_back();
    if (arguments.empty()) return PickleValue::of_dict(&dict);
    const PickleList* pairs = arguments[0].as_sequence();
    if (arguments.size() != 1 || !pairs) fail("expected OrderedDict() or OrderedDict(list of pairs)");
    context_.spend(pairs->size());
    for (const PickleValue& item : *pairs) {
      const PickleList* pair = item.as_sequence();
      if (!pair || pair->size() != 2) fail("expected a list of pairs for OrderedDict, found " + item.describe());
      add_pickle_member(context_, dict, (*pair)[0], (*pair)[1]);
    }
    return PickleValue::of_dict(&dict);
  }

  /// (storage, storage_offset, size, stride, requires_grad, backward_hooks[, metadata])
  PickleValue rebuild_tensor(const PickleList& arguments) {
    if (arguments.size() != 6 && arguments.size() != 7) {
      fail("expected 6 or 7 arguments of _rebuild_tensor_v2, found " + std::to_string(arguments.size()));
    }
    PickleTensor tensor;
    tensor.storage = arguments[0].as_storage();
    if (tensor.storage == nullptr) fail("_rebuild_tensor_v2: expected a storage, found " + arguments[0].describe());
    tensor.offset = non_negative(arguments[1], "storage_offset");
    tensor.shape = dimensions(arguments[2], "size");
    tensor.stride = dimensions(arguments[3], "stride");
    if (tensor.shape.size() != tensor.stride.size()) {
      fail("_rebuild_tensor_v2: " + std::to_string(tensor.shape.size()) + " sizes but " +
           std::to_string(tensor.stride.size()) + " strides");
    }
    if (arguments.size() == 7 && arguments[6].as_dict() && !arguments[6].as_dict()->empty()) {
      fail("_rebuild_tensor_v2: lazily conjugated or negated tensors are not supported");
    }
    return PickleValue::of_tensor(&context_.heap.tensors.emplace_back(std::move(tensor)));
  }

  std::vector<int64_t> dimensions(PickleValue value, const char* what) const {
    const PickleList* items = value.as_sequence();
    if (items == nullptr) {
      fail(std::string("_rebuild_tensor_v2: ") + what + ": expected a tuple, found " + value.describe());
    }
    if (items->size() > kMaxRank) {
      fail("_rebuild_tensor_v2: expected at most " + std::to_string(kMaxRank) + " dimensions");
    }
    std::vector<int64_t> out;
    for (const PickleValue& item : *items) out.push_back(non_negative(item, what));
    return out;
  }

  int64_t non_negative(PickleValue value, const char* what) const {
    const auto integer = value.as_integer();
    if (!integer || *integer < 0) {
      fail(std::string("expected a non-negative integer for ") + what + ", found " + value.describe());
    }
    return *integer;
  }

  PickleContext& context_;
};

}  // namespace

void add_pickle_member(const PickleContext& context, PickleDict& dict, PickleValue key, PickleValue value) {
  using Kind = PickleValue::Kind;
  if (key.kind() > Kind::kTuple) context.fail("expected a plain value as the key of a dict, found " + key.describe());
  dict.emplace_back(key, value);
}

PickleValue find_pickle_global(const PickleContext& context, std::string_view module, std::string_view name) {
  for (const GlobalRow& row : kGlobals) {
    if (module == row.module && name == row.name) return PickleValue::of_global(row.global, row.storage_dtype);
  }
  context.fail("the global \"" + printable(module) + "." + printable(name) +
               "\" is not allowed; nothing of it was run");
}

PickleValue call_pickle_global(PickleContext& context, PickleValue callable, PickleValue arguments) {
  return Calls(context).reduce(callable, arguments);
}

PickleValue load_persistent_storage(PickleContext& context, PickleValue id) {
  return Calls(context).persistent_storage(id);
}

void PickleContext::fail(const std::string& message) const {
  throw Error(options.code, file.path() + ": pickle at byte " + std::to_string(at) + ": " + message);
}

void PickleContext::spend(size_t count) {
  if (count > options.max_steps - steps) fail("expected at most " + std::to_string(options.max_steps) + " steps");
  steps += count;
}

}  // namespace deberta
