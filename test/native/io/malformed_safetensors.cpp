// Safetensors headers that lie, and shard indices that do.
#include "file_writers.h"
#include "malformed_cases.h"

namespace deberta::test {
namespace {

constexpr const char* kSafetensors = "model.safetensors";

/// One tensor entry with the given members.
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

/// Collects headers over eight bytes of data.
struct HeaderCases {
  std::vector<MalformedCase> all;
  const std::string data = std::string(8, 'x');

  void header(const std::string& name, const std::string& text, const std::string& expect) {
    all.push_back({"safetensors: " + name, {{kSafetensors, safetensors_file(text, data)}}, expect});
  }
  void length(uint64_t claimed, const std::string& expect) {
    const std::string bytes = raw(claimed) + "{}" + data;
    all.push_back({"safetensors: header length " + std::to_string(claimed), {{kSafetensors, bytes}}, expect});
  }
  void tensor(const std::string& name, const std::string& dtype, const std::string& shape, const std::string& offsets,
              const std::string& expect) {
    header(name, R"({"w":)" + entry(dtype, shape, offsets) + "}", expect);
  }
  void two(const std::string& name, const std::string& a, const std::string& b, const std::string& expect) {
    header(name, R"({"a":)" + a + R"(,"b":)" + b + "}", expect);
  }
};

void add_lengths(HeaderCases& cases) {
  for (const uint64_t claimed : {uint64_t{11}, uint64_t{1000}, uint64_t{100'000'000}}) {
    cases.length(claimed, "the whole file only");
  }
  for (const uint64_t claimed : {uint64_t{100'000'001}, uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}}) {
    cases.length(claimed, "at most 100000000");
  }
  cases.length(0, "start with '{'");
  cases.length(1, "invalid JSON");
  cases.length(3, "invalid JSON");
}

void add_malformed_text(HeaderCases& cases) {
  cases.header("array header", "[]", "start with '{'");
  cases.header("leading space", " {}", "start with '{'");
  cases.header("byte order mark", "\xEF\xBB\xBF{}", "start with '{'");
  cases.header("no tensors but data", "{}", "belong to no tensor");
  cases.header("two documents", "{}{}", "invalid JSON");
  cases.header("bad UTF-8 in a name", "{\"\xC3\":1}", "expected UTF-8");
  cases.header("surrogate half in a name", R"({"\ud800":1})", "surrogate");
  cases.header("deep nesting", R"({"w":)" + std::string(100'000, '['), "nested");
  cases.header(
      "deep objects",
      [] {
        std::string text;
        for (int i = 0; i < 1000; ++i) text += R"({"a":)";
        return text;
      }(),
      "nested");
}

void add_malformed_entries(HeaderCases& cases) {
  const std::string whole = entry(R"("U8")", "[8]", "[0,8]");
  cases.header("duplicate tensor", R"({"w":)" + whole + R"(,"w":)" + whole + "}", "\"w\" twice");
  cases.header("duplicate member", R"({"w":{"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
               "\"dtype\" twice");
  cases.header("escaped duplicate", R"({"w":)" + whole + R"(,"\u0077":)" + whole + "}", "\"w\" twice");
  cases.header("metadata is a list", R"({"__metadata__":[],"w":)" + whole + "}", "__metadata__");
  cases.header("metadata holds numbers", R"({"__metadata__":{"a":1},"w":)" + whole + "}", "__metadata__");
  for (const char* value : {"1", "null", "[]", "\"x\"", "true"}) {
    cases.header(std::string("an entry that is ") + value, R"({"w":)" + std::string(value) + "}",
                 "tensor \"w\": expected an object");
  }
  cases.header("no dtype", R"({"w":{"shape":[8],"data_offsets":[0,8]}})", "lacks \"dtype\"");
  cases.header("no shape", R"({"w":{"dtype":"U8","data_offsets":[0,8]}})", "lacks \"shape\"");
  cases.header("no offsets", R"({"w":{"dtype":"U8","shape":[8]}})", "lacks \"data_offsets\"");
}

void add_dtypes_and_shapes(HeaderCases& cases) {
  for (const char* dtype : {"\"F8_E5M2\"", "\"f32\"", "\"\"", "\"F32\\u0000\"", "\"C64\""}) {
    cases.tensor(std::string("dtype ") + dtype, dtype, "[2]", "[0,8]", "expected dtype");
  }
  for (const char* dtype : {"1", "null", "{}"}) {
    cases.tensor(std::string("dtype ") + dtype, dtype, "[2]", "[0,8]", "expected a string");
  }
  for (const char* shape :
       {"[-8]", "[-1,-8]", "[8,-1]", "[4294967296,4294967296]", "[9223372036854775807]", "[9223372036854775807,2]",
        "[9223372036854775807,0]", "[0,9223372036854775807,9223372036854775807]", "[3037000500,3037000500]",
        "[2147483648,2147483648,2147483648]"}) {
    cases.tensor(std::string("shape ") + shape, "\"F32\"", shape, "[0,8]", "is negative or too large");
  }
  for (const char* shape : {"[1]", "[3]", "[0]", "[]", "[2,2]", "[1099511627776]"}) {
    cases.tensor(std::string("shape ") + shape, "\"F32\"", shape, "[0,8]", "but data_offsets span 8");
  }
  for (const char* shape : {"[1.5]", "[\"2\"]", "[null]", "[18446744073709551616]", "[[2]]", "[1e300]"}) {
    cases.tensor(std::string("shape ") + shape, "\"F32\"", shape, "[0,8]", "expected an integer");
  }
  cases.tensor("shape is a number", "\"F32\"", "2", "[0,8]", "expected an array");
  cases.tensor("17 dimensions", "\"U8\"", "[8,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,8]", "at most 16 dimensions");
  for (const auto& [dtype, shape] : {std::pair{"\"F64\"", "[2]"},
                                     {"\"F16\"", "[8]"},
                                     {"\"BF16\"", "[2]"},
                                     {"\"I64\"", "[8]"},
                                     {"\"BOOL\"", "[2]"},
                                     {"\"I8\"", "[9]"}}) {
    cases.tensor(std::string("dtype lie ") + dtype + shape, dtype, shape, "[0,8]", "but data_offsets span 8");
  }
}

void add_offsets(HeaderCases& cases) {
  for (const char* offsets : {"[0,9]", "[8,0]", "[9,9]", "[-1,7]", "[-8,0]", "[0,-1]", "[0,9223372036854775807]",
                              "[9223372036854775807,9223372036854775807]", "[-9223372036854775808,0]"}) {
    cases.tensor(std::string("offsets ") + offsets, "\"U8\"", "[8]", offsets,
                 "expected data_offsets within the 8 bytes");
  }
  for (const char* offsets : {"[]", "[0]", "[0,8,8]"}) {
    cases.tensor(std::string("offsets ") + offsets, "\"U8\"", "[8]", offsets, "[begin, end]");
  }
  for (const char* offsets : {"[0,\"8\"]", "[null,8]", "[0,8.5]", "[0,18446744073709551615]"}) {
    cases.tensor(std::string("offsets ") + offsets, "\"U8\"", "[8]", offsets, "expected an integer");
  }
  cases.tensor("offsets are an object", "\"U8\"", "[8]", "{}", "expected an array");
}

void add_overlaps_and_holes(HeaderCases& cases) {
  const auto bytes = [](int begin, int end) {
    return entry("\"U8\"", "[" + std::to_string(end - begin) + "]",
                 "[" + std::to_string(begin) + "," + std::to_string(end) + "]");
  };
  cases.two("overlap", bytes(0, 5), bytes(4, 8), "expected its data at offset 5");
  cases.two("one tensor twice", bytes(0, 8), bytes(0, 8), "expected its data at offset 8");
  cases.two("one inside the other", bytes(0, 8), bytes(2, 4), "expected its data at offset 8");
  cases.two("a hole", bytes(0, 3), bytes(4, 8), "expected its data at offset 3");
  cases.two("a hole at the start", bytes(1, 4), bytes(4, 8), "expected its data at offset 0");
  cases.two("a hole at the end", bytes(0, 3), bytes(3, 7), "the last 1 bytes");
  cases.two("an empty tensor in the middle of another", bytes(0, 8), bytes(3, 3), "expected its data at offset 8");
}

}  // namespace

std::vector<MalformedCase> hostile_safetensors() {
  HeaderCases cases;
  add_lengths(cases);
  add_malformed_text(cases);
  add_malformed_entries(cases);
  add_dtypes_and_shapes(cases);
  add_offsets(cases);
  add_overlaps_and_holes(cases);
  return cases.all;
}

std::vector<MalformedCase> hostile_shard_indices() {
  std::vector<MalformedCase> cases;
  const std::string a = safetensors_file(R"({"a":)" + entry("\"U8\"", "[1]", "[0,1]") + "}", "1");
  const std::string b = safetensors_file(R"({"b":)" + entry("\"U8\"", "[1]", "[0,1]") + "}", "2");
  const auto add = [&](const std::string& name, const std::string& index, const std::string& expect) {
    cases.push_back(
        {"index: " + name,
         {{"model.safetensors.index.json", index}, {"1.safetensors", a}, {"2.safetensors", b}, {"3.safetensors", a}},
         expect});
  };
  const auto map = [](const std::string& members) { return R"({"weight_map":{)" + members + "}}"; };
  for (const char* path :
       {"../1.safetensors", "/etc/1.safetensors", "x/../1.safetensors", "..\\\\1.safetensors", "./1.safetensors",
        "C:1.safetensors", "", ".", "..", "passwd", "1.safetensors\\u0000", "1.safetensors/"}) {
    add(std::string("shard named ") + path, map(R"("a":")" + std::string(path) + "\""), "in the same folder");
  }
  for (const char* value : {"1", "null", "[]", "{}", "true"}) {
    add(std::string("shard is ") + value, map(R"("a":)" + std::string(value)), "expected a string");
  }
  add("missing shard", map(R"("a":"1.safetensors","b":"lost.safetensors")"), "lost.safetensors: cannot open");
  add("tensor in another shard", map(R"("a":"2.safetensors","b":"1.safetensors")"), "is not in");
  add("tensor in no shard", map(R"("a":"1.safetensors","c":"1.safetensors")"), "tensor \"c\" is not in");
  add("tensor in two shards", map(R"("a":"1.safetensors","x":"3.safetensors")"), "as well");
  add("a tensor listed twice", map(R"("a":"1.safetensors","a":"2.safetensors")"), "\"a\" twice");
  add("no tensors", map(""), "at least one tensor");
  add("no weight_map", "{}", "weight_map: is missing");
  add("weight_map is a list", R"({"weight_map":[]})", "expected an object");
  add("index is a list", "[]", "expected an object");
  add("index is empty", "", "invalid JSON");
  add("index is cut", R"({"weight_map":{"a":"1.safetensors")", "invalid JSON");
  add("index nests deeply", std::string(5000, '['), "nested");
  cases.push_back(
      {"index: a broken shard",
       {{"model.safetensors.index.json", map(R"("a":"1.safetensors")")}, {"1.safetensors", a.substr(0, 30)}},
       "1.safetensors"});
  cases.push_back(
      {"index: a safetensors shard that is a pickle",
       {{"model.safetensors.index.json", map(R"("a":"1.safetensors")")}, {"1.safetensors", valid_torch_zip()}},
       "1.safetensors"});
  cases.push_back({"index: a .bin shard that is safetensors",
                   {{"pytorch_model.bin.index.json", map(R"("a":"1.bin")")}, {"1.bin", a}},
                   "written by torch.save"});
  return cases;
}

}  // namespace deberta::test
