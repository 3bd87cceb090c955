// Truncations, flips, and lies in the containers. Lies in pickles are in malformed_pickles.cpp.
#include "malformed_cases.h"

#include <functional>
#include <random>

#include "file_writers.h"

namespace deberta::test {
namespace {

constexpr const char* kSafetensors = "model.safetensors";
constexpr const char* kTorch = "pytorch_model.bin";

const std::vector<TensorSpec> kTensors = {{},
                                          {.name = "t", .key = "1", .elements = 6, .shape = {3, 2}, .stride = {1, 3}}};

MalformedCase safetensors_case(const std::string& name, const std::string& header, const std::string& data,
                               const std::string& expect) {
  return {"safetensors: " + name, {{kSafetensors, safetensors_file(header, data)}}, expect};
}

/// One tensor entry with the given members.
std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

ZipFile valid_zip(bool zip64) {
  return zip_file(torch_zip_parts(state_dict_pickle(kTensors), {{"0", float_ramp(24)}, {"1", float_ramp(6)}}), zip64);
}

void cut_everywhere(std::vector<MalformedCase>& cases, const std::string& what, const char* file,
                    const std::string& bytes) {
  for (size_t size = 0; size < bytes.size(); ++size) {
    cases.push_back({what + " cut to " + std::to_string(size) + " bytes", {{file, bytes.substr(0, size)}}, ""});
  }
}

/// Flips in the bytes of [begin, end): one bit, the sign bit, all bits.
void flip(std::vector<MalformedCase>& cases, const std::string& what, const char* file, const std::string& bytes,
          size_t begin, size_t end, size_t step) {
  for (size_t at = begin; at < end; at += step) {
    for (const unsigned mask : {0x01u, 0x80u, 0xFFu}) {
      const std::string flipped = patched(bytes, at, std::string(1, static_cast<char>(bytes[at] ^ mask)));
      cases.push_back(
          {what + ": byte " + std::to_string(at) + " ^ " + std::to_string(mask), {{file, flipped}}, "", true});
    }
  }
}

}  // namespace

std::string valid_torch_zip() { return valid_zip(false).bytes; }

std::string valid_torch_legacy() {
  return torch_legacy(state_dict_pickle(kTensors, true), {{"0", float_ramp(24)}, {"1", float_ramp(6)}});
}

std::vector<MalformedCase> truncated_files() {
  std::vector<MalformedCase> cases;
  cut_everywhere(cases, "safetensors", kSafetensors, valid_safetensors());
  cut_everywhere(cases, "legacy torch file", kTorch, valid_torch_legacy());
  cut_everywhere(cases, "zip", kTorch, valid_torch_zip());
  cut_everywhere(cases, "zip64", kTorch, valid_zip(true).bytes);
  const std::string pickle = state_dict_pickle(kTensors);
  for (size_t size = 0; size < pickle.size(); ++size) {  // whole archive, cut pickle
    const std::string bytes = torch_zip(pickle.substr(0, size), {{"0", float_ramp(24)}, {"1", float_ramp(6)}});
    cases.push_back({"pickle in a zip cut to " + std::to_string(size) + " bytes", {{kTorch, bytes}}, "pickle at byte"});
  }
  return cases;
}

std::vector<MalformedCase> flipped_files() {
  std::vector<MalformedCase> cases;
  const std::string safetensors = valid_safetensors();
  const size_t data = safetensors.size() - 40;
  flip(cases, "safetensors header", kSafetensors, safetensors, 0, data, 1);
  flip(cases, "safetensors data", kSafetensors, safetensors, data, safetensors.size(), 7);
  for (const bool zip64 : {false, true}) {
    const ZipFile zip = valid_zip(zip64);
    const std::string what = zip64 ? "zip64" : "zip";
    flip(cases, what + " pickle", kTorch, zip.bytes, 0, zip.data[2], 1);
    flip(cases, what + " storages", kTorch, zip.bytes, zip.data[2], zip.central[0], 17);
    flip(cases, what + " directory", kTorch, zip.bytes, zip.central[0], zip.bytes.size(), 1);
  }
  const std::string legacy = valid_torch_legacy();
  flip(cases, "legacy torch file", kTorch, legacy, 0, legacy.size() - 24 * 4 - 6 * 4, 1);
  flip(cases, "legacy torch storages", kTorch, legacy, legacy.size() - 24 * 4 - 6 * 4, legacy.size(), 13);

  std::mt19937 random(20240229);  // several bytes at once, anywhere
  const std::vector<std::pair<const char*, std::string>> seeds = {
      {kSafetensors, safetensors}, {kTorch, valid_torch_zip()}, {kTorch, valid_zip(true).bytes}, {kTorch, legacy}};
  for (int i = 0; i < 2000; ++i) {
    auto [file, bytes] = seeds[static_cast<size_t>(i) % seeds.size()];
    for (unsigned n = 1 + random() % 8; n > 0; --n) bytes[random() % bytes.size()] = static_cast<char>(random());
    cases.push_back({std::string(file) + ": random damage " + std::to_string(i), {{file, bytes}}, "", true});
  }
  return cases;
}

std::vector<MalformedCase> hostile_safetensors() {
  std::vector<MalformedCase> cases;
  const std::string data(8, 'x');
  const auto header = [&](const std::string& name, const std::string& text, const std::string& expect) {
    cases.push_back(safetensors_case(name, text, data, expect));
  };
  const auto tensor = [&](const std::string& name, const std::string& dtype, const std::string& shape,
                          const std::string& offsets, const std::string& expect) {
    header(name, R"({"w":)" + entry(dtype, shape, offsets) + "}", expect);
  };
  const auto length = [&](uint64_t claimed, const std::string& expect) {
    cases.push_back({"safetensors: header length " + std::to_string(claimed),
                     {{kSafetensors, raw(claimed) + "{}" + data}},
                     expect});
  };
  for (const uint64_t claimed : {uint64_t{11}, uint64_t{1000}, uint64_t{100'000'000}})
    length(claimed, "the whole file only");
  for (const uint64_t claimed : {uint64_t{100'000'001}, uint64_t{1} << 32, uint64_t{1} << 63, ~uint64_t{0}})
    length(claimed, "at most 100000000");
  length(0, "start with '{'");
  length(1, "invalid JSON");
  length(3, "invalid JSON");

  header("array header", "[]", "start with '{'");
  header("leading space", " {}", "start with '{'");
  header("byte order mark", "\xEF\xBB\xBF{}", "start with '{'");
  header("no tensors but data", "{}", "belong to no tensor");
  header("two documents", "{}{}", "invalid JSON");
  header("bad UTF-8 in a name", "{\"\xC3\":1}", "expected UTF-8");
  header("surrogate half in a name", R"({"\ud800":1})", "surrogate");
  header("deep nesting", R"({"w":)" + std::string(100'000, '['), "nested");
  header(
      "deep objects",
      [] {
        std::string text;
        for (int i = 0; i < 1000; ++i) text += R"({"a":)";
        return text;
      }(),
      "nested");
  const std::string whole = entry(R"("U8")", "[8]", "[0,8]");
  header("duplicate tensor", R"({"w":)" + whole + R"(,"w":)" + whole + "}", "\"w\" twice");
  header("duplicate member", R"({"w":{"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]}})",
         "\"dtype\" twice");
  header("escaped duplicate", R"({"w":)" + whole + R"(,"\u0077":)" + whole + "}", "\"w\" twice");
  header("metadata is a list", R"({"__metadata__":[],"w":)" + whole + "}", "__metadata__");
  header("metadata holds numbers", R"({"__metadata__":{"a":1},"w":)" + whole + "}", "__metadata__");
  for (const char* value : {"1", "null", "[]", "\"x\"", "true"}) {
    header(std::string("an entry that is ") + value, R"({"w":)" + std::string(value) + "}",
           "tensor \"w\": expected an object");
  }
  header("no dtype", R"({"w":{"shape":[8],"data_offsets":[0,8]}})", "lacks \"dtype\"");
  header("no shape", R"({"w":{"dtype":"U8","data_offsets":[0,8]}})", "lacks \"shape\"");
  header("no offsets", R"({"w":{"dtype":"U8","shape":[8]}})", "lacks \"data_offsets\"");

  for (const char* dtype : {"\"F8_E5M2\"", "\"f32\"", "\"\"", "\"F32\\u0000\"", "\"C64\""}) {
    tensor(std::string("dtype ") + dtype, dtype, "[2]", "[0,8]", "expected dtype");
  }
  for (const char* dtype : {"1", "null", "{}"})
    tensor(std::string("dtype ") + dtype, dtype, "[2]", "[0,8]", "expected a string");
  for (const char* shape :
       {"[-8]", "[-1,-8]", "[8,-1]", "[4294967296,4294967296]", "[9223372036854775807]", "[9223372036854775807,2]",
        "[9223372036854775807,0]", "[0,9223372036854775807,9223372036854775807]", "[3037000500,3037000500]",
        "[2147483648,2147483648,2147483648]"}) {
    tensor(std::string("shape ") + shape, "\"F32\"", shape, "[0,8]", "is negative or too large");
  }
  for (const char* shape : {"[1]", "[3]", "[0]", "[]", "[2,2]", "[1099511627776]"}) {
    tensor(std::string("shape ") + shape, "\"F32\"", shape, "[0,8]", "but data_offsets span 8");
  }
  for (const char* shape : {"[1.5]", "[\"2\"]", "[null]", "[18446744073709551616]", "[[2]]", "[1e300]"}) {
    tensor(std::string("shape ") + shape, "\"F32\"", shape, "[0,8]", "expected an integer");
  }
  tensor("shape is a number", "\"F32\"", "2", "[0,8]", "expected an array");
  tensor("17 dimensions", "\"U8\"", "[8,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,8]", "at most 16 dimensions");
  for (const auto& [dtype, shape] : {std::pair{"\"F64\"", "[2]"},
                                     {"\"F16\"", "[8]"},
                                     {"\"BF16\"", "[2]"},
                                     {"\"I64\"", "[8]"},
                                     {"\"BOOL\"", "[2]"},
                                     {"\"I8\"", "[9]"}}) {
    tensor(std::string("dtype lie ") + dtype + shape, dtype, shape, "[0,8]", "but data_offsets span 8");
  }
  for (const char* offsets : {"[0,9]", "[8,0]", "[9,9]", "[-1,7]", "[-8,0]", "[0,-1]", "[0,9223372036854775807]",
                              "[9223372036854775807,9223372036854775807]", "[-9223372036854775808,0]"}) {
    tensor(std::string("offsets ") + offsets, "\"U8\"", "[8]", offsets, "expected data_offsets within the 8 bytes");
  }
  for (const char* offsets : {"[]", "[0]", "[0,8,8]"})
    tensor(std::string("offsets ") + offsets, "\"U8\"", "[8]", offsets, "[begin, end]");
  for (const char* offsets : {"[0,\"8\"]", "[null,8]", "[0,8.5]", "[0,18446744073709551615]"}) {
    tensor(std::string("offsets ") + offsets, "\"U8\"", "[8]", offsets, "expected an integer");
  }
  tensor("offsets are an object", "\"U8\"", "[8]", "{}", "expected an array");

  const auto two = [&](const std::string& name, const std::string& a, const std::string& b, const std::string& expect) {
    header(name, R"({"a":)" + a + R"(,"b":)" + b + "}", expect);
  };
  const auto bytes = [](int begin, int end) {
    return entry("\"U8\"", "[" + std::to_string(end - begin) + "]",
                 "[" + std::to_string(begin) + "," + std::to_string(end) + "]");
  };
  two("overlap", bytes(0, 5), bytes(4, 8), "expected its data at offset 5");
  two("one tensor twice", bytes(0, 8), bytes(0, 8), "expected its data at offset 8");
  two("one inside the other", bytes(0, 8), bytes(2, 4), "expected its data at offset 8");
  two("a hole", bytes(0, 3), bytes(4, 8), "expected its data at offset 3");
  two("a hole at the start", bytes(1, 4), bytes(4, 8), "expected its data at offset 0");
  two("a hole at the end", bytes(0, 3), bytes(3, 7), "the last 1 bytes");
  two("an empty tensor in the middle of another", bytes(0, 8), bytes(3, 3), "expected its data at offset 8");
  return cases;
}

std::vector<MalformedCase> hostile_archives() {
  std::vector<MalformedCase> cases;
  const auto add = [&](const std::string& name, const std::string& bytes, const std::string& expect) {
    cases.push_back({"zip: " + name, {{kTorch, bytes}}, expect});
  };
  const std::string pickle = state_dict_pickle(kTensors);
  const std::vector<ZipPart> parts = torch_zip_parts(pickle, {{"0", float_ramp(24)}, {"1", float_ramp(6)}});
  const auto with_part = [&](ZipPart part) {
    std::vector<ZipPart> more = parts;
    more.push_back(std::move(part));
    return zip_file(more).bytes;
  };
  const ZipFile zip = zip_file(parts), zip64 = zip_file(parts, true);
  const auto patch = [&](const std::string& name, size_t at, const std::string& value, const std::string& expect) {
    add(name, patched(zip.bytes, at, value), expect);
  };
  const auto patch64 = [&](const std::string& name, size_t at, const std::string& value, const std::string& expect) {
    add(name, patched(zip64.bytes, at, value), expect);
  };

  add("deflated entry", with_part({"archive/x", "x", 8}),
      "\"archive/x\": expected a stored entry, found compression method 8");
  add("method 99", with_part({"archive/x", "x", 99}), "compression method 99");
  for (const uint16_t flag : {1, 1 << 6, 1 << 13}) {
    add("encrypted, flag " + std::to_string(flag), with_part({"archive/x", "x", 0, flag}),
        "\"archive/x\" is encrypted");
  }
  for (const char* name :
       {"../x", "archive/../../x", "/etc/passwd", "..", "archive/..", "a\\b", "", "..\\x", "\xFF\xFE"}) {
    add(std::string("entry named ") + name, with_part({name, "x"}), "expected entry names inside the archive");
  }
  add("entry name with NUL", with_part({std::string("a\0b", 3), "x"}), "expected entry names inside the archive");
  add("an entry twice", with_part({"archive/data/0", "x"}), "two entries are named \"archive/data/0\"");
  add("two pickles", with_part({"other/data.pkl", pickle}), "expected one data.pkl");
  add("no pickle", zip_file({{"archive/data/0", "x"}}).bytes, "without data.pkl");
  add("a pickle too deep", zip_file({{"a/b/data.pkl", pickle}}).bytes, "without data.pkl");
  add("empty pickle", torch_zip("", {}), "cut off");
  add("big endian", zip_file({{"a/data.pkl", pickle}, {"a/byteorder", "big"}}).bytes, "expected byte order \"little\"");
  add("no entries", patched(patched(zip.bytes, zip.end + 8, raw(uint32_t{0})), zip.end + 12, raw(uint32_t{0})),
      "without data.pkl");
  add("only an end record", "PK\x03\x04" + zip.bytes.substr(zip.end), "");
  add("garbage after the end", zip.bytes + "x", "no end record");

  patch("more entries than records", zip.end + 8, raw(uint16_t{6}) + raw(uint16_t{6}),
        "expected a central directory record");
  patch("fewer entries than records", zip.end + 8, raw(uint16_t{4}) + raw(uint16_t{4}), "longer than its entries");
  patch("two numbers of entries", zip.end + 8, raw(uint16_t{4}), "two numbers of entries");
  patch("60,000 entries", zip.end + 8, raw(uint16_t{60000}) + raw(uint16_t{60000}), "do not fit");
  patch("a split archive", zip.end + 4, raw(uint16_t{1}), "split archive");
  patch("directory beyond the file", zip.end + 16, raw(uint32_t{0x7FFFFFFF}), "outside the file");
  patch("directory too long", zip.end + 12, raw(uint32_t{0x7FFFFFFF}), "outside the file");
  patch("directory somewhere else", zip.end + 16, raw(uint32_t{4}), "expected a central directory record");
  patch("comment longer than the file", zip.end + 20, raw(uint16_t{9}), "no end record");
  patch("zip64 sentinel without locator", zip.end + 16, raw(uint32_t{0xFFFFFFFF}), "no zip64 locator");
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string which = " of entry " + std::to_string(i);
    const size_t record = zip.central[i];
    patch("size one more" + which, record + 24, raw(static_cast<uint32_t>(parts[i].data.size() + 1)),
          "expected a stored entry");
    patch("both sizes huge" + which, record + 20, raw(0x7FFFFFFFu) + raw(0x7FFFFFFFu), "reach beyond the data");
    patch("zip64 sizes without field" + which, record + 20, raw(0xFFFFFFFFu) + raw(0xFFFFFFFFu),
          "reach beyond the data");
    patch("local offset beyond" + which, record + 42, raw(0x7FFFFFFFu), "no local header");
    patch("local offset in the directory" + which, record + 42, raw(static_cast<uint32_t>(zip.central[0])),
          "no local header");
    patch("local offset off by one" + which, record + 42, raw(static_cast<uint32_t>(zip.local[i] + 1)),
          "no local header");
    patch("name length" + which, record + 28, raw(uint16_t{0xFFFF}), "outside the directory");
    patch("extra length" + which, record + 30, raw(uint16_t{0xFFFF}), "outside the directory");
    patch("local name length" + which, zip.local[i] + 26, raw(uint16_t{0xFFFF}), "");
    patch("local extra length" + which, zip.local[i] + 28, raw(uint16_t{0xFFFF}), "reach beyond the data");
    patch("local method" + which, zip.local[i] + 8, raw(uint16_t{8}), "compressed by its local header");
    patch("local name" + which, zip.local[i] + 30, "X", "another name");
    patch("local signature" + which, zip.local[i], i == 0 ? "PK\x03\x05" : "PK\x01\x02", "");
  }
  // Entries 2 and 3 are the storages: 2 stretched over 3, and both at one place.
  const auto overlong = static_cast<uint32_t>(parts[2].data.size() + 8);
  patch("overlapping entries", zip.central[2] + 20, raw(overlong) + raw(overlong), "two entries overlap");
  add(
      "two records for one local header",
      [&] {
        std::string name = parts[2].name;
        std::string bytes = patched(zip.bytes, zip.central[3] + 42, raw(static_cast<uint32_t>(zip.local[2])));
        return patched(bytes, zip.central[3] + 46, name);
      }(),
      "two entries overlap");

  patch64("zip64 locator to nowhere", zip64.locator + 8, raw(~uint64_t{0}), "no zip64 end record");
  patch64("zip64 locator to the start", zip64.locator + 8, raw(uint64_t{0}), "no zip64 end record");
  patch64("zip64 locator signature", zip64.locator, "PKxx", "no zip64 locator");
  patch64("zip64 entries", zip64.end64 + 24, raw(~uint64_t{0}) + raw(~uint64_t{0}), "do not fit");
  patch64("zip64 two numbers of entries", zip64.end64 + 24, raw(uint64_t{1}), "two numbers of entries");
  patch64("zip64 directory size", zip64.end64 + 40, raw(~uint64_t{0}), "outside the file");
  patch64("zip64 directory offset", zip64.end64 + 48, raw(~uint64_t{0}), "outside the file");
  patch64("zip64 directory offset wraps", zip64.end64 + 48, raw(~uint64_t{0} - 100), "outside the file");
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string which = " of entry " + std::to_string(i);
    const size_t field = zip64.central[i] + 46 + parts[i].name.size();
    patch64("zip64 size lie" + which, field + 4, raw(~uint64_t{0}) + raw(~uint64_t{0}), "reach beyond the data");
    patch64("zip64 size wraps" + which, field + 4, raw(~uint64_t{0} - 60) + raw(~uint64_t{0} - 60),
            "reach beyond the data");
    patch64("zip64 offset lie" + which, field + 20, raw(~uint64_t{0}), "no local header");
    patch64("zip64 field too short" + which, field + 2, raw(uint16_t{8}), "too short");
    patch64("zip64 field too long" + which, field + 2, raw(uint16_t{200}), "outside its record");
  }
  return cases;
}

std::vector<MalformedCase> hostile_legacy_files() {
  std::vector<MalformedCase> cases;
  const auto add = [&](const std::string& name, const std::string& bytes, const std::string& expect) {
    cases.push_back({"legacy: " + name, {{kTorch, bytes}}, expect});
  };
  const std::string pickle = state_dict_pickle({{}}, true);
  const std::string head = torch_legacy_head(pickle, {"0"});
  const std::string ramp = float_ramp(24);
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string bytes = torch_legacy(pickle, {{"0", ramp}});
    return bytes.replace(bytes.find(from), from.size(), to);
  };
  add("protocol 1000", replaced(raw(int32_t{1001}), raw(int32_t{1000})), "expected torch.save protocol 1001");
  add("big endian", replaced("\x88u", "\x89u"), "little endian machine");
  add("no byte order", replaced("little_endian", "little_indian"), "little endian machine");
  add("another magic number", replaced("\x6c\xfc", "\x6d\xfc"), "follow the end of the pickle");
  add("no storages", head, "cut off");
  add("fewer elements", head + raw(uint64_t{23}) + ramp, "expected 24 elements, found 23");
  for (const uint64_t count : {uint64_t{25}, uint64_t{1} << 62, ~uint64_t{0}, uint64_t{1} << 63}) {
    add("a storage of " + std::to_string(count), head + raw(count) + ramp,
        "expected 24 elements, found " + std::to_string(count));
  }
  for (const int64_t count : {int64_t{25}, int64_t{1} << 61, int64_t{1} << 62, INT64_MAX}) {
    const std::string claim = state_dict_pickle({{.elements = count}}, true);
    add("pickle and storage claim " + std::to_string(count),
        torch_legacy_head(claim, {"0"}) + raw(static_cast<uint64_t>(count)) + ramp, "reach beyond the end");
  }
  add("key not used", torch_legacy_head(pickle, {"0", "1"}) + raw(uint64_t{24}) + ramp, "used by no tensor");
  add("key listed twice", torch_legacy_head(pickle, {"0", "0"}) + raw(uint64_t{24}) + ramp + raw(uint64_t{24}) + ramp,
      "listed twice");
  add("key not listed", torch_legacy_head(pickle, {}), "storage \"0\" is not in the file");
  const auto keys = [&](const std::string& opcodes) {
    const std::string none = torch_legacy_head(pickle, {});
    return none.substr(0, none.size() - PickleWriter().op("](e").stop().size()) + PickleWriter().op(opcodes).stop();
  };
  add("keys are a dict", keys("}"), "expected a list of storage keys");
  add("keys are numbers",
      keys("]K\x01"
           "a"),
      "expected storage keys to be strings");
  add("keys run code", keys("cos\nsystem\n)R"), "the global \"os.system\" is not allowed");
  add("one storage, two types",
      torch_legacy(state_dict_pickle({{}, {.name = "h", .type = "HalfStorage"}}, true), {{"0", ramp}}),
      "described in two ways");
  add("one storage, two sizes",
      torch_legacy(state_dict_pickle({{}, {.name = "h", .elements = 25}}, true), {{"0", ramp}}),
      "described in two ways");
  add(
      "a view of a storage",
      [&] {
        PickleWriter view;
        view.op("}")
            .text("w")
            .global("torch._utils", "_rebuild_tensor_v2")
            .op("((")
            .text("storage")
            .global("torch", "FloatStorage");
        view.text("0").text("cpu").integer(24).op("(").text("1").integer(0).integer(24).op("ttQ").integer(0);
        view.integers({24}).integers({1}).op("\x89}tRs");
        return torch_legacy(view.stop(), {{"0", ramp}});
      }(),
      "views of storages are not supported");
  return cases;
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
  for (const char* value : {"1", "null", "[]", "{}", "true"})
    add(std::string("shard is ") + value, map(R"("a":)" + std::string(value)), "expected a string");
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
