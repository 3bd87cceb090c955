// Pickles that try to run code, to exhaust memory or the stack, and tensors that reach outside their storage.
#include "file_writers.h"
#include "malformed_cases.h"

namespace deberta::test {
namespace {

constexpr const char* kTorch = "pytorch_model.bin";

/// The pickle in both containers; the legacy one cannot carry storages of a type or size that is a lie, so `legacy` is
/// only for pickles without tensors.
void add_pickle(std::vector<MalformedCase>& cases, const std::string& name, const std::string& pickle,
                const std::string& expect, bool legacy) {
  cases.push_back({"pickle in a zip: " + name, {{kTorch, torch_zip(pickle, {{"0", float_ramp(24)}})}}, expect});
  if (legacy) cases.push_back({"pickle in a legacy file: " + name, {{kTorch, torch_legacy(pickle, {})}}, expect});
}

/// _rebuild_tensor_v2 with the given argument opcodes, under "w".
std::string rebuild_pickle(const std::string& arguments) {
  return PickleWriter().op("}").text("w").global("torch._utils", "_rebuild_tensor_v2").op(arguments).op("Rs").stop();
}

std::string storage_opcodes() { return PickleWriter().storage("FloatStorage", "0", 24).bytes().substr(2); }
std::string tuple_opcodes(const std::vector<int64_t>& values) {
  return PickleWriter().integers(values).bytes().substr(2);
}

void add_foreign_calls(std::vector<MalformedCase>& cases) {
  const auto add = [&](const std::string& name, const std::string& opcodes, const std::string& expect) {
    add_pickle(cases, name, PickleWriter().op(opcodes).stop(), expect, true);
  };
  const std::string touch = PickleWriter().text("touch /tmp/owned").bytes().substr(2);
  for (const auto& [module, name] : {std::pair{"posix", "system"},
                                     {"os", "system"},
                                     {"nt", "system"},
                                     {"builtins", "eval"},
                                     {"builtins", "exec"},
                                     {"builtins", "getattr"},
                                     {"__builtin__", "eval"},
                                     {"builtins", "__import__"},
                                     {"subprocess", "Popen"},
                                     {"torch", "load"},
                                     {"torch.hub", "load"},
                                     {"torch._utils", "_rebuild_tensor"},
                                     {"torch", "FloatStorage.from_file"},
                                     {"torch.nn.modules.linear", "Linear"},
                                     {"collections", "defaultdict"},
                                     {"collections", "OrderedDict.fromkeys"},
                                     {"functools", "partial"},
                                     {"operator", "attrgetter"},
                                     {"webbrowser", "open"},
                                     {"", ""},
                                     {"torch", ""},
                                     {"", "OrderedDict"},
                                     {"collections ", "OrderedDict"},
                                     {"Collections", "OrderedDict"},
                                     {"torch", "QUInt8Storage"}}) {
    const std::string what = std::string(module) + "." + name;
    add("GLOBAL " + what, std::string("c") + module + "\n" + name + "\n" + touch + "\x85R",
        "the global \"" + what + "\" is not allowed");
    const std::string pair = PickleWriter().text(module).text(name).bytes().substr(2);
    add("STACK_GLOBAL " + what, pair + "\x93" + touch + "\x85R", "the global \"" + what + "\" is not allowed");
  }
  add("INST", "(" + touch + "iposix\nsystem\n", "INST");
  add("OBJ", "(ccollections\nOrderedDict\no", "OBJ");
  add("NEWOBJ", "ccollections\nOrderedDict\n)\x81", "NEWOBJ");
  add("NEWOBJ_EX", "ccollections\nOrderedDict\n)}\x92", "NEWOBJ_EX");
  add("EXT1", "\x82\x01", "EXT1");
  add("EXT2", std::string("\x83\x01\x00", 3), "EXT2");
  add("EXT4", std::string("\x84\x01\0\0\0", 5), "EXT4");
  add("PERSID", "Pposix system\n", "PERSID");
  add("BUILD of a callable", "ccollections\nOrderedDict\n}b", "BUILD is only allowed on a dict");
  add("BUILD of a list", "]}b", "BUILD is only allowed on a dict");
  add("BUILD with a tuple state",
      "}N}\x86"
      "b",
      "BUILD is only allowed on a dict");
  add("REDUCE of a string", touch + ")R", "expected something callable");
  add("REDUCE of None", "N)R", "expected something callable");
  add("REDUCE without a tuple", "ccollections\nOrderedDict\n]R", "expected a tuple of arguments");
  add("REDUCE of a storage type", "ctorch\nFloatStorage\nK\x05\x85R", "a storage type is not callable");
  add("REDUCE of a dict", "})R", "expected something callable");
  add("STACK_GLOBAL of numbers", "K\x01K\x02\x93", "expected two strings");
  add("OrderedDict of a number", "ccollections\nOrderedDict\nK\x01\x85R", "OrderedDict");
  add("OrderedDict of triples", "ccollections\nOrderedDict\n](K\x01K\x02K\x03t\x61\x85R", "list of pairs");
  add("OrderedDict of two lists", "ccollections\nOrderedDict\n]]\x86R", "OrderedDict");
  add("Size of a number", "ctorch\nSize\nK\x01\x85R", "torch.Size");
  add("Size without arguments", "ctorch\nSize\n)R", "torch.Size");
}

void add_machine_abuse(std::vector<MalformedCase>& cases) {
  const auto add = [&](const std::string& name, const std::string& opcodes, const std::string& expect) {
    add_pickle(cases, name, PickleWriter().op(opcodes).stop(), expect, true);
  };
  for (int opcode = 0; opcode < 256; ++opcode) {  // alone, each either starves or is refused
    if (std::string(".NMJKG\x88\x89(]})").find(static_cast<char>(opcode)) != std::string::npos) continue;
    add("opcode " + std::to_string(opcode), std::string(1, static_cast<char>(opcode)), "");
  }
  add("nothing on the stack", "", "the stack is empty");
  add("two values at STOP", "NN", "values are left");
  add("a mark at STOP", "}(", "");
  add("pop below a mark", "N(0", "the stack is empty");
  add("tuple below a mark", "N(\x85", "the stack is empty");
  add("tuple without mark", "Nt", "there is no mark");
  add("append to a dict", "}Na", "expected a list");
  add("append to a tuple", ")Na", "expected a list");
  add("appends below its mark", "(Ne", "the stack is empty");
  add("set item of a list", "]NNs", "expected a dict");
  add("odd set items", "}(Nu", "odd number");
  for (const char* key : {"]", "}", "ccollections\nOrderedDict\n", "ccollections\nOrderedDict\n)R"}) {
    add(std::string("a dict key that is ") + key, std::string("}") + key + "Ns", "as the key of a dict");
  }
  add("memo entry that is not there", "h\x05", "the memo has no entry 5");
  add("memo entry far away", "j\xff\xff\xff\xff", "the memo has no entry");
  add("memo index far away", "Nr\xff\xff\xff\xff", "out of sequence");
  add("memo index 16 million", std::string("Nr\x00\x00\x00\x01", 6), "out of sequence");
  add("memo gap", "Nq\x03h\x01", "the memo has no entry 1");
  add("put of nothing", "q\x01", "the stack is empty");
  add("protocol 6", "\x80\x06N", "protocol 2 to 5");
  add("frame beyond the end", "\x95\xff\xff\xff\xff\xff\xff\xff\x7fN", "a frame ends outside");
  add("frame length wraps", "\x95\xff\xff\xff\xff\xff\xff\xff\xffN", "a frame ends outside");
  for (const char opcode : {'X', 'T', 'B'}) {
    add(std::string("4 GB for ") + opcode, std::string(1, opcode) + "\xff\xff\xff\xff" + "abc",
        "the pickle is cut off");
  }
  add("BINUNICODE8 of 2^63", std::string("\x8d\0\0\0\0\0\0\0\x80", 9), "is too long");
  add("BINUNICODE8 beyond the end", std::string("\x8d\xff\xff\xff\x7f\0\0\0\0", 9), "cut off");
  add("text that is not UTF-8", std::string("X\x02\0\0\0\xC3\x28", 7), "UTF-8");
  add("short text that is not UTF-8", "\x8c\x01\xff", "UTF-8");
  add("module name without end", "cposix", "");
  add("persistent id of a string", "X\x01" + std::string(3, '\0') + "aQ", "expected a persistent id");
  add("persistent id of a list", "]Q", "expected a persistent id");
  add("persistent id too short", "X\x07" + std::string(3, '\0') + "storage\x85Q", "expected a persistent id");
}

void add_exhaustion(std::vector<MalformedCase>& cases) {
  const auto add = [&](const std::string& name, const std::string& opcodes, const std::string& expect) {
    add_pickle(cases, name, PickleWriter().op(opcodes).stop(), expect, true);
  };
  add("a million nested tuples", "N" + std::string(1'000'000, '\x85'), "expected a dict of tensors, found a tuple");
  add(
      "a million nested lists",
      [] {
        std::string opcodes(1'000'000, ']');
        return opcodes + std::string(999'999, 'a');
      }(),
      "expected a dict of tensors, found a list");
  add("a million marks", std::string(1'000'000, '('), "");
  add("five million values", std::string(5'000'000, 'N'), "at most 4194304 steps");
  add("a list in itself",
      "]q\x01h\x01"
      "a",
      "found a list");
  add("a dict in itself", "}q\x01N" + std::string("h\x01s"), "holds none");
  std::string doubling = "N\x85q\x01";  // t1 = (t0, t0), ...: 2^60 leaves for who walks it
  for (int i = 0; i < 60; ++i) {
    doubling +=
        "h\x01h\x01\x86q\x01"
        "0h\x01q\x01";
  }
  add("billion laughs of tuples", doubling, "");
  std::string copies = "](";  // one list of 2000 pairs, copied into 3000 dicts
  for (int i = 0; i < 2000; ++i) copies += "NN\x86";
  copies +=
      "e\x85q\x01"
      "0";
  for (int i = 0; i < 3000; ++i) copies += "ccollections\nOrderedDict\nh\x01R0";
  add("OrderedDict copies without end", copies + "N", "at most 4194304 steps");
  add("the root is None", "N", "expected a dict of tensors, found None");
  add("the root is empty", "}", "holds none");
  add("the state dict is empty", PickleWriter().op("}").text("state_dict").op("}s").bytes().substr(2), "holds none");
}

// Opcodes of the arguments of a right call of _rebuild_tensor_v2.
const std::string storage = storage_opcodes(), zero = "K" + std::string(1, '\0');
const std::string size = tuple_opcodes({24}), stride = tuple_opcodes({1}), tail = "\x89}t";

/// The first `count` of them, and more than there are, as a tuple.
std::string first_arguments(int count) {
  const std::string all[] = {storage, zero, size, stride, "\x89", "}", "N", "N"};
  std::string opcodes = "(";
  for (int i = 0; i < count; ++i) opcodes += all[i];
  return opcodes + "t";
}

/// Collects state dicts over one storage "0" of 24 floats, in a zip: there storages need not be right to be reached.
struct TensorCases {
  std::vector<MalformedCase> all;

  void pickle(const std::string& name, const std::string& bytes, const std::string& expect) {
    add_pickle(all, name, bytes, expect, false);
  }
  void tensor(const std::string& name, const TensorSpec& spec, const std::string& expect) {
    pickle(name, state_dict_pickle({spec}), expect);
  }
  void call(const std::string& name, const std::string& arguments, const std::string& expect) {
    pickle(name, rebuild_pickle(arguments), expect);
  }
};

void add_views(TensorCases& cases) {
  const int64_t huge = int64_t{1} << 62;
  cases.tensor("one element too far", {.offset = 1}, "reach outside the storage");
  cases.tensor("one row too many", {.shape = {5, 6}}, "reach outside the storage");
  cases.tensor("stride too long", {.stride = {7, 1}}, "reach outside the storage");
  cases.tensor("offset far away", {.offset = huge}, "reach outside the storage");
  cases.tensor("offset at the limit", {.offset = INT64_MAX}, "reach outside the storage");
  cases.tensor("offset beyond an empty tensor", {.offset = 25, .shape = {0}, .stride = {1}},
               "reach outside the storage");
  cases.tensor("stride overflows", {.shape = {3, 6}, .stride = {INT64_MAX, 1}}, "reach outside the storage");
  cases.tensor("stride wraps to the start", {.shape = {5}, .stride = {huge}}, "reach outside the storage");
  cases.tensor("strides overflow in sum", {.shape = {2, 2, 2}, .stride = {INT64_MAX, INT64_MAX, INT64_MAX}},
               "reach outside the storage");
  cases.tensor("shape overflows", {.shape = {huge, 6}, .stride = {0, 1}}, "too large");
  cases.tensor("shape overflows behind a zero", {.shape = {0, huge, huge}, .stride = {0, 0, 1}}, "too large");
  cases.tensor("expanded to terabytes", {.shape = {int64_t{1} << 40, 6}, .stride = {0, 1}}, "expands its storage");
  cases.tensor("expanded to 17 MiB", {.shape = {(17 << 20) / 4}, .stride = {0}}, "expands its storage");
  cases.tensor("contiguous terabytes", {.shape = {int64_t{1} << 40}, .stride = {1}}, "reach outside the storage");
  cases.tensor("negative offset", {.offset = -1}, "expected a non-negative integer for storage_offset");
  cases.tensor("negative size", {.shape = {-4, 6}}, "expected a non-negative integer for size");
  cases.tensor("negative stride", {.stride = {-6, 1}}, "expected a non-negative integer for stride");
  cases.tensor("smallest stride", {.stride = {INT64_MIN, 1}}, "expected a non-negative integer for stride");
}

void add_storages_and_names(TensorCases& cases) {
  const int64_t huge = int64_t{1} << 62;
  cases.tensor("negative storage", {.elements = -1}, "expected a non-negative integer");
  cases.tensor("more strides than sizes", {.shape = {24}, .stride = {6, 1}}, "1 sizes but 2 strides");
  cases.tensor("fewer strides than sizes", {.stride = {1}}, "2 sizes but 1 strides");
  cases.tensor("17 dimensions", {.shape = std::vector<int64_t>(17, 1), .stride = std::vector<int64_t>(17, 1)},
               "at most 16 dimensions");
  cases.tensor("storage larger than its entry", {.elements = 25}, "expected 25 elements of F32, found 96 bytes");
  cases.tensor("storage smaller than its entry", {.elements = 23}, "expected 23 elements of F32, found 96 bytes");
  cases.tensor("storage size overflows", {.elements = huge}, "elements of F32, found 96 bytes");
  for (const char* type : {"DoubleStorage", "HalfStorage", "LongStorage", "BoolStorage"}) {
    cases.tensor(std::string("storage as ") + type, {.type = type}, "found 96 bytes");
  }
  for (const char* key : {"1", "", "../0", "00", "0/", "\n"}) {
    cases.tensor(std::string("storage key ") + key, {.key = key}, "the file has no storage");
  }
  cases.pickle("a name twice", state_dict_pickle({{}, {}}), "tensor \"w\" is there twice");
  cases.pickle(
      "many copies of one storage",
      [] {
        std::vector<TensorSpec> many;
        for (int i = 0; i < 40; ++i) {
          many.push_back({.name = "w" + std::to_string(i), .shape = {(1 << 20) / 4}, .stride = {0}});  // 1 MiB each
        }
        return state_dict_pickle(many);
      }(),
      "expands its storage");
  cases.pickle(
      "a name that is a number",
      [] {
        std::string pickle = state_dict_pickle({{}});
        const std::string name = PickleWriter().text("w").bytes().substr(2);
        return pickle.replace(pickle.find(name), name.size(), "K\x01");
      }(),
      "keys to be strings");
}

void add_arguments(TensorCases& cases) {
  for (const int count : {0, 1, 2, 3, 4, 5, 8}) {
    cases.call(std::to_string(count) + " arguments", first_arguments(count),
               "expected 6 or 7 arguments of _rebuild_tensor_v2");
  }
  cases.call("storage is None", "(N" + zero + size + stride + tail, "expected a storage, found None");
  cases.call("storage is a number", "(K\x05" + zero + size + stride + tail, "expected a storage");
  cases.call("storage is its type", "(ctorch\nFloatStorage\n" + zero + size + stride + tail, "expected a storage");
  cases.call("offset is None", "(" + storage + "N" + size + stride + tail, "storage_offset, found None");
  cases.call("offset is a float", "(" + storage + "G" + std::string(8, '\0') + size + stride + tail,
             "storage_offset, found a float");
  cases.call("offset is True", "(" + storage + "\x88" + size + stride + tail, "storage_offset, found a bool");
  cases.call("offset beyond 64 bits", "(" + storage + "\x8a\x09" + std::string(8, '\0') + "\x01" + size + stride + tail,
             "beyond 64 bits");
  cases.call("size is a number", "(" + storage + zero + "K\x18" + stride + tail, "size: expected a tuple");
  cases.call("size holds text", "(" + storage + zero + "X\x01" + std::string(3, '\0') + "4\x85" + stride + tail,
             "size, found the string");
  cases.call("stride is a dict", "(" + storage + zero + size + "}" + tail, "stride: expected a tuple");
  cases.call("conjugated", "(" + storage + zero + size + stride + "\x89}}X\x04" + std::string(3, '\0') + "conj\x88st",
             "conjugated");
  cases.call("arguments are a list", "](" + storage + zero + size + stride + "\x89}e", "expected a tuple of arguments");
}

void add_storage_ids(TensorCases& cases) {
  const auto persistent = [&](const std::string& name, const std::string& id, const std::string& expect) {
    cases.call("storage id: " + name, "(" + id + zero + size + stride + tail, expect);
  };
  const std::string word = PickleWriter().text("storage").bytes().substr(2),
                    key = PickleWriter().text("0").bytes().substr(2);
  const std::string type = "ctorch\nFloatStorage\n";
  persistent("of a module", "(" + PickleWriter().text("module").bytes().substr(2) + type + key + key + "K\x18tQ",
             "expected a persistent id");
  persistent("without a type", "(" + word + "N" + key + key + "K\x18tQ", "the type and key of a storage");
  persistent("with a callable as type", "(" + word + "ccollections\nOrderedDict\n" + key + key + "K\x18tQ",
             "the type and key of a storage");
  persistent("with a number as key", "(" + word + type + "K\x01" + key + "K\x18tQ", "the type and key of a storage");
  persistent("with text as size", "(" + word + type + key + key + key + "tQ", "elements of a storage");
  persistent("with a view", "(" + word + type + key + key + "K\x18)tQ", "views of storages");
  persistent("with seven parts", "(" + word + type + key + key + "K\x18NNtQ", "expected a persistent id");
}

void add_parameters(TensorCases& cases) {
  const std::string tensor = "ctorch._utils\n_rebuild_tensor_v2\n" + first_arguments(6) + "R";
  const auto parameter = [&](const std::string& name, const std::string& opcodes, const std::string& expect) {
    cases.pickle(
        name, PickleWriter().op("}").text("w").global("torch._utils", "_rebuild_parameter").op(opcodes + "Rs").stop(),
        expect);
  };
  parameter("parameter of nothing", ")", "expected _rebuild_parameter");
  parameter("parameter of two", tensor + "\x88\x86", "expected _rebuild_parameter");
  parameter("parameter of a storage", storage + "\x88}\x87", "expected _rebuild_parameter");
  parameter("parameter of None", "N\x88}\x87", "expected _rebuild_parameter");
}

}  // namespace

std::vector<MalformedCase> hostile_pickles() {
  std::vector<MalformedCase> cases;
  add_foreign_calls(cases);
  add_machine_abuse(cases);
  add_exhaustion(cases);
  return cases;
}

std::vector<MalformedCase> hostile_tensors() {
  TensorCases cases;
  add_views(cases);
  add_storages_and_names(cases);
  add_arguments(cases);
  add_storage_ids(cases);
  add_parameters(cases);
  return cases.all;
}

}  // namespace deberta::test
