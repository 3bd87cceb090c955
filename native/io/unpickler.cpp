// A stack machine. Each opcode costs one step and a bounded amount of memory; nothing recurses.
#include "io/unpickler.h"

#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "io/checked_math.h"
#include "io/utf8.h"

namespace deberta {
namespace {

enum Opcode : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinString = 'T',
  kShortBinString = 'U',
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kMemoize = 0x94,
  kBinGet = 'h',
  kLongBinGet = 'j',
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kBuild = 'b',
  kBinPersId = 'Q',
  kProto = 0x80,
  kFrame = 0x95,
};

/// Opcodes that exist and are refused, for messages that say more than a number.
const char* refused_opcode_name(uint8_t opcode) {
  switch (opcode) {
    case 'i':
      return "INST";
    case 'o':
      return "OBJ";
    case 0x81:
      return "NEWOBJ";
    case 0x92:
      return "NEWOBJ_EX";
    case 0x82:
      return "EXT1";
    case 0x83:
      return "EXT2";
    case 0x84:
      return "EXT4";
    case 'P':
      return "PERSID";
    case 'p':
      return "PUT";
    case 'g':
      return "GET";
    case 'I':
      return "INT";
    case 'L':
      return "LONG";
    case 0x8b:
      return "LONG4";
    case 'F':
      return "FLOAT";
    case 'S':
      return "STRING";
    case 'V':
      return "UNICODE";
    case 'd':
      return "DICT";
    case 'l':
      return "LIST";
    case '1':
      return "POP_MARK";
    case '2':
      return "DUP";
    case 0x8e:
      return "BINBYTES8";
    case 0x8f:
      return "EMPTY_SET";
    case 0x90:
      return "ADDITEMS";
    case 0x91:
      return "FROZENSET";
    case 0x96:
      return "BYTEARRAY8";
    case 0x97:
      return "NEXT_BUFFER";
    case 0x98:
      return "READONLY_BUFFER";
    default:
      return "unknown";
  }
}

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
constexpr uint8_t kMaxProtocol = 5;

class Unpickler {
 public:
  Unpickler(const MappedFile& file, size_t begin, size_t end, PickleHeap& heap, const UnpicklerOptions& options)
      : file_(file), at_(begin), end_(end), heap_(heap), options_(options) {}

  Unpickled run() {
    for (;;) {
      spend(1);
      const auto opcode = read<uint8_t>();
      if (opcode == kStop) {
        const PickleValue value = pop();
        if (!stack_.empty() || !marks_.empty()) fail("values are left on the stack at STOP");
        return {value, at_};
      }
      if (!push_plain(opcode) && !push_text(opcode) && !build_container(opcode) && !use_memo(opcode) && !call(opcode)) {
        fail("the opcode " + std::to_string(opcode) + " (" + refused_opcode_name(opcode) + ") is not allowed");
      }
    }
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(options_.code, file_.path() + ": pickle at byte " + std::to_string(at_) + ": " + message);
  }

  void spend(size_t steps) {
    if (steps > options_.max_steps - steps_) fail("expected at most " + std::to_string(options_.max_steps) + " steps");
    steps_ += steps;
  }

  std::string_view read_bytes(uint64_t length) {
    if (!range_within(at_, length, end_)) fail("the pickle is cut off");
    const std::string_view bytes = file_.text().substr(at_, length);
    at_ += length;
    return bytes;
  }

  template <class Integer>
  Integer read() {
    Integer value;
    std::memcpy(&value, read_bytes(sizeof value).data(), sizeof value);
    return value;
  }

  // --- the stack; a mark hides what is below it ---

  void push(PickleValue value) { stack_.push_back(value); }

  PickleValue& top() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("the stack is empty");
    return stack_.back();
  }

  PickleValue pop() {
    const PickleValue value = top();
    stack_.pop_back();
    return value;
  }

  /// The values above the last mark, which goes away.
  PickleList pop_to_mark() {
    if (marks_.empty()) fail("there is no mark on the stack");
    const auto first = stack_.begin() + static_cast<ptrdiff_t>(marks_.back());
    PickleList values(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return values;
  }

  PickleList pop_n(size_t count) {
    PickleList values(count);
    while (count-- > 0) values[count] = pop();
    return values;
  }

  // --- opcodes, by family; each returns whether the opcode was its own ---

  bool push_plain(uint8_t opcode) {
    switch (opcode) {
      case kProto:
        if (const auto protocol = read<uint8_t>(); protocol > kMaxProtocol) {
          fail("expected pickle protocol 2 to 5, found " + std::to_string(protocol));
        }
        return true;
      case kFrame:
        if (const auto length = read<uint64_t>(); !range_within(at_, length, end_))
          fail("a frame ends outside the pickle");
        return true;
      case kNone:
        return push({}), true;
      case kNewTrue:
        return push(PickleValue::of_bool(true)), true;
      case kNewFalse:
        return push(PickleValue::of_bool(false)), true;
      case kBinInt:
        return push(PickleValue::of_integer(read<int32_t>())), true;
      case kBinInt1:
        return push(PickleValue::of_integer(read<uint8_t>())), true;
      case kBinInt2:
        return push(PickleValue::of_integer(read<uint16_t>())), true;
      case kLong1:
        return push(read_long()), true;
      case kBinFloat:
        return push(PickleValue::of_float(read_big_endian_double())), true;
      default:
        return false;
    }
  }

  /// LONG1: a length byte, then two's complement, little endian.
  PickleValue read_long() {
    const std::string_view digits = read_bytes(read<uint8_t>());
    if (digits.size() > 8) return PickleValue::of_big_integer(digits);
    const bool negative = !digits.empty() && (digits.back() & 0x80) != 0;
    uint64_t value = negative ? ~uint64_t{0} : 0;
    for (size_t i = digits.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(digits[i]);
    return PickleValue::of_integer(std::bit_cast<int64_t>(value));
  }

  double read_big_endian_double() {
    uint64_t bits = 0;
    for (const char byte : read_bytes(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
    return std::bit_cast<double>(bits);
  }

  bool push_text(uint8_t opcode) {
    switch (opcode) {
      case kShortBinUnicode:
      case kShortBinString:
        return push(text(read_bytes(read<uint8_t>()))), true;
      case kBinUnicode:
      case kBinString:
        return push(text(read_bytes(read<uint32_t>()))), true;
      case kBinUnicode8: {
        const auto length = read<uint64_t>();
        if (length > 0xFFFFFFFFu) fail("a string of " + std::to_string(length) + " bytes is too long");
        return push(text(read_bytes(length))), true;
      }
      case kShortBinBytes:
        return push(PickleValue::of_bytes(read_bytes(read<uint8_t>()))), true;
      case kBinBytes:
        return push(PickleValue::of_bytes(read_bytes(read<uint32_t>()))), true;
      default:
        return false;
    }
  }

  PickleValue text(std::string_view bytes) const {
    if (!is_utf8(bytes)) fail("expected a string in UTF-8, found \"" + printable(bytes) + "\"");
    return PickleValue::of_string(bytes);
  }

  bool build_container(uint8_t opcode) {
    switch (opcode) {
      case kMark:
        return marks_.push_back(stack_.size()), true;
      case kPop:
        return pop(), true;
      case kEmptyTuple:
        return push(tuple({})), true;
      case kTuple:
        return push(tuple(pop_to_mark())), true;
      case kTuple1:
      case kTuple2:
      case kTuple3:
        return push(tuple(pop_n(opcode - kTuple1 + 1u))), true;
      case kEmptyList:
        return push(PickleValue::of_list(&heap_.lists.emplace_back())), true;
      case kAppend:
        return append(pop_n(1)), true;
      case kAppends:
        return append(pop_to_mark()), true;
      case kEmptyDict:
        return push(PickleValue::of_dict(&heap_.dicts.emplace_back())), true;
      case kSetItem:
        return set_items(pop_n(2)), true;
      case kSetItems:
        return set_items(pop_to_mark()), true;
      default:
        return false;
    }
  }

  PickleValue tuple(PickleList items) { return PickleValue::of_tuple(&heap_.lists.emplace_back(std::move(items))); }

  void append(const PickleList& items) {
    PickleList* list = top().as_list();
    if (list == nullptr) fail("expected a list to append to, found " + top().describe());
    list->insert(list->end(), items.begin(), items.end());
  }

  void set_items(const PickleList& items) {
    PickleDict* dict = top().as_dict();
    if (dict == nullptr) fail("expected a dict to set items of, found " + top().describe());
    if (items.size() % 2 != 0) fail("expected pairs of key and value, found an odd number of values");
    for (size_t i = 0; i < items.size(); i += 2) add_member(*dict, items[i], items[i + 1]);
  }

  void add_member(PickleDict& dict, PickleValue key, PickleValue value) const {
    using Kind = PickleValue::Kind;
    if (key.kind() > Kind::kTuple) fail("expected a plain value as the key of a dict, found " + key.describe());
    dict.emplace_back(key, value);
  }

  bool use_memo(uint8_t opcode) {
    switch (opcode) {
      case kBinPut:
        return put(read<uint8_t>()), true;
      case kLongBinPut:
        return put(read<uint32_t>()), true;
      case kMemoize:
        return put(memo_.size()), true;
      case kBinGet:
        return get(read<uint8_t>()), true;
      case kLongBinGet:
        return get(read<uint32_t>()), true;
      default:
        return false;
    }
  }

  /// Picklers number their memo from 0 or 1 upwards, so an index beyond the steps so far is an attempt to make it huge.
  void put(size_t index) {
    if (index > steps_) fail("the memo index " + std::to_string(index) + " is out of sequence");
    if (index >= memo_.size()) memo_.resize(index + 1);
    memo_[index] = top();
  }

  void get(size_t index) {
    if (index >= memo_.size() || !memo_[index]) fail("the memo has no entry " + std::to_string(index));
    push(*memo_[index]);
  }

  bool call(uint8_t opcode) {
    switch (opcode) {
      case kGlobal: {
        const std::string_view module = read_line();
        return push(global(module, read_line())), true;
      }
      case kStackGlobal: {
        const auto name = pop().as_string(), module = pop().as_string();
        if (!name || !module) fail("expected two strings for STACK_GLOBAL");
        return push(global(*module, *name)), true;
      }
      case kBinPersId:
        return push(persistent_storage(pop())), true;
      case kReduce: {
        const PickleValue arguments = pop();
        return push(reduce(pop(), arguments)), true;
      }
      case kBuild: {  // the attributes of an OrderedDict (_metadata): of no use to us
        const PickleValue state = pop();
        if (!top().as_dict() || !state.as_dict()) fail("BUILD is only allowed on a dict, found " + top().describe());
        return true;
      }
      default:
        return false;
    }
  }

  std::string_view read_line() {
    const std::string_view rest = file_.text().substr(at_, end_ - at_);
    const size_t length = rest.find('\n');
    if (length == rest.npos) fail("the pickle is cut off");
    at_ += length + 1;
    return rest.substr(0, length);
  }

  PickleValue global(std::string_view module, std::string_view name) const {
    for (const GlobalRow& row : kGlobals) {
      if (module == row.module && name == row.name) return PickleValue::of_global(row.global, row.storage_dtype);
    }
    fail("the global \"" + printable(module) + "." + printable(name) + "\" is not allowed; nothing of it was run");
  }

  PickleValue reduce(PickleValue callable, PickleValue arguments) {
    if (arguments.kind() != PickleValue::Kind::kTuple)
      fail("expected a tuple of arguments, found " + arguments.describe());
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

  /// OrderedDict() or, from Python 2, OrderedDict([[key, value], ...]).
  PickleValue ordered_dict(const PickleList& arguments) {
    PickleDict& dict = heap_.dicts.emplace_back();
    if (arguments.empty()) return PickleValue::of_dict(&dict);
    const PickleList* pairs = arguments[0].as_sequence();
    if (arguments.size() != 1 || !pairs) fail("expected OrderedDict() or OrderedDict(list of pairs)");
    spend(pairs->size());
    for (const PickleValue& item : *pairs) {
      const PickleList* pair = item.as_sequence();
      if (!pair || pair->size() != 2) fail("expected a list of pairs for OrderedDict, found " + item.describe());
      add_member(dict, (*pair)[0], (*pair)[1]);
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
    return PickleValue::of_tensor(&heap_.tensors.emplace_back(std::move(tensor)));
  }

  std::vector<int64_t> dimensions(PickleValue value, const char* what) const {
    const PickleList* items = value.as_sequence();
    if (items == nullptr)
      fail(std::string("_rebuild_tensor_v2: ") + what + ": expected a tuple, found " + value.describe());
    if (items->size() > kMaxRank)
      fail("_rebuild_tensor_v2: expected at most " + std::to_string(kMaxRank) + " dimensions");
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

  /// ("storage", type, key, location, elements[, view]); views of storages went out of use with torch 0.4.
  PickleValue persistent_storage(PickleValue id) {
    const PickleList* items = id.kind() == PickleValue::Kind::kTuple ? id.as_sequence() : nullptr;
    if (!items || (items->size() != 5 && items->size() != 6) || (*items)[0].as_string() != "storage") {
      fail("expected a persistent id (\"storage\", type, key, location, elements), found " + id.describe());
    }
    const PickleValue type = (*items)[1];
    const auto key = (*items)[2].as_string();
    if (type.as_global() != PickleGlobal::kStorageType || !key) fail("expected the type and key of a storage");
    if (items->size() == 6 && (*items)[5].kind() != PickleValue::Kind::kNone)
      fail("views of storages are not supported");
    const int64_t elements = non_negative((*items)[4], "the elements of a storage");
    return PickleValue::of_storage(&heap_.storages.emplace_back(PickleStorage{*key, type.storage_dtype(), elements}));
  }

  const MappedFile& file_;
  size_t at_;
  size_t end_;
  PickleHeap& heap_;
  const UnpicklerOptions& options_;
  size_t steps_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::vector<std::optional<PickleValue>> memo_;
};

}  // namespace

Unpickled unpickle(const MappedFile& file, size_t begin, size_t end, PickleHeap& heap,
                   const UnpicklerOptions& options) {
  return Unpickler(file, begin, end, heap, options).run();
}

}  // namespace deberta
