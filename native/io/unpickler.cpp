// A stack machine. Each opcode costs one step and a bounded amount of memory; nothing recurses.
#include "io/unpickler.h"

#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "io/checked_math.h"
#include "io/pickle_calls.h"
#include "io/pickle_opcodes.h"
#include "io/utf8.h"

namespace deberta {
namespace {

using namespace pickle_opcode;

constexpr uint8_t kMaxProtocol = 5;

class Unpickler {
 public:
  Unpickler(const PickleContext& context, size_t end) : context_(context), end_(end) {}

  Unpickled run() {
    for (;;) {
      context_.spend(1);
      const auto opcode = read<uint8_t>();
      if (opcode == kStop) {
        const PickleValue value = pop();
        if (!stack_.empty() || !marks_.empty()) fail("values are left on the stack at STOP");
        return {value, context_.at};
      }
      if (!push_plain(opcode) && !push_text(opcode) && !build_container(opcode) && !use_memo(opcode) && !call(opcode)) {
        fail("the opcode " + std::to_string(opcode) + " (" + refused_opcode_name(opcode) + ") is not allowed");
      }
    }
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { context_.fail(message); }

  std::string_view read_bytes(uint64_t length) {
    if (!range_within(context_.at, length, end_)) fail("the pickle is cut off");
    const std::string_view bytes = context_.file.text().substr(context_.at, length);
    context_.at += length;
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
        if (const auto length = read<uint64_t>(); !range_within(context_.at, length, end_)) {
          fail("a frame ends outside the pickle");
        }
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
        return push(PickleValue::of_list(&context_.heap.lists.emplace_back())), true;
      case kAppend:
        return append(pop_n(1)), true;
      case kAppends:
        return append(pop_to_mark()), true;
      case kEmptyDict:
        return push(PickleValue::of_dict(&context_.heap.dicts.emplace_back())), true;
      case kSetItem:
        return set_items(pop_n(2)), true;
      case kSetItems:
        return set_items(pop_to_mark()), true;
      default:
        return false;
    }
  }

  PickleValue tuple(PickleList items) {
    return PickleValue::of_tuple(&context_.heap.lists.emplace_back(std::move(items)));
  }

  void append(const PickleList& items) {
    PickleList* list = top().as_list();
    if (list == nullptr) fail("expected a list to append to, found " + top().describe());
    list->insert(list->end(), items.begin(), items.end());
  }

  void set_items(const PickleList& items) {
    PickleDict* dict = top().as_dict();
    if (dict == nullptr) fail("expected a dict to set items of, found " + top().describe());
    if (items.size() % 2 != 0) fail("expected pairs of key and value, found an odd number of values");
    for (size_t i = 0; i < items.size(); i += 2) add_pickle_member(context_, *dict, items[i], items[i + 1]);
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
    if (index > context_.steps) fail("the memo index " + std::to_string(index) + " is out of sequence");
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
        return push(find_pickle_global(context_, module, read_line())), true;
      }
      case kStackGlobal: {
        const auto name = pop().as_string(), module = pop().as_string();
        if (!name || !module) fail("expected two strings for STACK_GLOBAL");
        return push(find_pickle_global(context_, *module, *name)), true;
      }
      case kBinPersId:
        return push(load_persistent_storage(context_, pop())), true;
      case kReduce: {
        const PickleValue arguments = pop();
        return push(call_pickle_global(context_, pop(), arguments)), true;
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
    const std::string_view rest = context_.file.text().substr(context_.at, end_ - context_.at);
    const size_t length = rest.find('\n');
    if (length == rest.npos) fail("the pickle is cut off");
    context_.at += length + 1;
    return rest.substr(0, length);
  }

  PickleContext context_;
  size_t end_;
  std::vector<PickleValue> stack_;
  std::vector<size_t> marks_;  // heights of the stack
  std::vector<std::optional<PickleValue>> memo_;
};

}  // namespace

Unpickled unpickle(const MappedFile& file, size_t begin, size_t end, PickleHeap& heap,
                   const UnpicklerOptions& options) {
  return Unpickler({file, options, heap, begin}, end).run();
}

}  // namespace deberta
