// Zip records and the older container of torch.save, telling lies.
#include "file_writers.h"
#include "malformed_cases.h"

namespace deberta::test {
namespace {

constexpr const char* kTorch = "pytorch_model.bin";

const std::vector<TensorSpec> kTensors = {{}, {.name = "t", .key = "1", .elements = 6, .shape = {6}, .stride = {1}}};

/// Collects changes to one valid archive: entries 0 data.pkl, 1 byteorder, 2 and 3 storages, 4 version.
struct ZipCases {
  std::vector<MalformedCase> all;
  const std::string pickle = state_dict_pickle(kTensors);
  const std::vector<ZipPart> parts = torch_zip_parts(pickle, {{"0", float_ramp(24)}, {"1", float_ramp(6)}});
  const ZipFile zip = zip_file(parts);
  const ZipFile zip64 = zip_file(parts, true);

  void add(const std::string& name, const std::string& bytes, const std::string& expect) {
    all.push_back({"zip: " + name, {{kTorch, bytes}}, expect});
  }
  void patch(const std::string& name, size_t at, const std::string& value, const std::string& expect) {
    add(name, patched(zip.bytes, at, value), expect);
  }
  void patch64(const std::string& name, size_t at, const std::string& value, const std::string& expect) {
    add(name, patched(zip64.bytes, at, value), expect);
  }
  std::string with_part(const ZipPart& part) const {
    std::vector<ZipPart> more = parts;
    more.push_back(part);
    return zip_file(more).bytes;
  }
};

void add_refused_entries(ZipCases& cases) {
  cases.add("deflated entry", cases.with_part({"archive/x", "x", 8}),
            "\"archive/x\": expected a stored entry, found compression method 8");
  cases.add("method 99", cases.with_part({"archive/x", "x", 99}), "compression method 99");
  for (const uint16_t flag : {1, 1 << 6, 1 << 13}) {
    cases.add("encrypted, flag " + std::to_string(flag), cases.with_part({"archive/x", "x", 0, flag}),
              "\"archive/x\" is encrypted");
  }
  for (const char* name :
       {"../x", "archive/../../x", "/etc/passwd", "..", "archive/..", "a\\b", "", "..\\x", "\xFF\xFE"}) {
    cases.add(std::string("entry named ") + name, cases.with_part({name, "x"}),
              "expected entry names inside the archive");
  }
  cases.add("entry name with NUL", cases.with_part({std::string("a\0b", 3), "x"}),
            "expected entry names inside the archive");
}

void add_refused_archives(ZipCases& cases) {
  cases.add("an entry twice", cases.with_part({"archive/data/0", "x"}), "two entries are named \"archive/data/0\"");
  cases.add("two pickles", cases.with_part({"other/data.pkl", cases.pickle}), "expected one data.pkl");
  cases.add("no pickle", zip_file({{"archive/data/0", "x"}}).bytes, "without data.pkl");
  cases.add("a pickle too deep", zip_file({{"a/b/data.pkl", cases.pickle}}).bytes, "without data.pkl");
  cases.add("empty pickle", torch_zip("", {}), "cut off");
  cases.add("big endian", zip_file({{"a/data.pkl", cases.pickle}, {"a/byteorder", "big"}}).bytes,
            "expected byte order \"little\"");
  cases.add(
      "no entries",
      patched(patched(cases.zip.bytes, cases.zip.end + 8, raw(uint32_t{0})), cases.zip.end + 12, raw(uint32_t{0})),
      "without data.pkl");
  cases.add("only an end record", "PK\x03\x04" + cases.zip.bytes.substr(cases.zip.end), "");
  cases.add("garbage after the end", cases.zip.bytes + "x", "no end record");
}

void add_end_records(ZipCases& cases) {
  cases.patch("more entries than records", cases.zip.end + 8, raw(uint16_t{6}) + raw(uint16_t{6}),
              "expected a central directory record");
  cases.patch("fewer entries than records", cases.zip.end + 8, raw(uint16_t{4}) + raw(uint16_t{4}),
              "longer than its entries");
  cases.patch("two numbers of entries", cases.zip.end + 8, raw(uint16_t{4}), "two numbers of entries");
  cases.patch("60,000 entries", cases.zip.end + 8, raw(uint16_t{60000}) + raw(uint16_t{60000}), "do not fit");
  cases.patch("a split archive", cases.zip.end + 4, raw(uint16_t{1}), "split archive");
  cases.patch("directory beyond the file", cases.zip.end + 16, raw(uint32_t{0x7FFFFFFF}), "outside the file");
  cases.patch("directory too long", cases.zip.end + 12, raw(uint32_t{0x7FFFFFFF}), "outside the file");
  cases.patch("directory somewhere else", cases.zip.end + 16, raw(uint32_t{4}), "expected a central directory record");
  cases.patch("comment longer than the file", cases.zip.end + 20, raw(uint16_t{9}), "no end record");
  cases.patch("zip64 sentinel without locator", cases.zip.end + 16, raw(uint32_t{0xFFFFFFFF}), "no zip64 locator");
}

void add_records(ZipCases& cases) {
  for (size_t i = 0; i < cases.parts.size(); ++i) {
    const std::string which = " of entry " + std::to_string(i);
    const size_t record = cases.zip.central[i];
    cases.patch("size one more" + which, record + 24, raw(static_cast<uint32_t>(cases.parts[i].data.size() + 1)),
                "expected a stored entry");
    cases.patch("both sizes huge" + which, record + 20, raw(0x7FFFFFFFu) + raw(0x7FFFFFFFu), "reach beyond the data");
    cases.patch("zip64 sizes without field" + which, record + 20, raw(0xFFFFFFFFu) + raw(0xFFFFFFFFu),
                "reach beyond the data");
    cases.patch("local offset beyond" + which, record + 42, raw(0x7FFFFFFFu), "no local header");
    cases.patch("local offset in the directory" + which, record + 42, raw(static_cast<uint32_t>(cases.zip.central[0])),
                "no local header");
    cases.patch("local offset off by one" + which, record + 42, raw(static_cast<uint32_t>(cases.zip.local[i] + 1)),
                "no local header");
    cases.patch("name length" + which, record + 28, raw(uint16_t{0xFFFF}), "outside the directory");
    cases.patch("extra length" + which, record + 30, raw(uint16_t{0xFFFF}), "outside the directory");
    cases.patch("local name length" + which, cases.zip.local[i] + 26, raw(uint16_t{0xFFFF}), "");
    cases.patch("local extra length" + which, cases.zip.local[i] + 28, raw(uint16_t{0xFFFF}), "reach beyond the data");
    cases.patch("local method" + which, cases.zip.local[i] + 8, raw(uint16_t{8}), "compressed by its local header");
    cases.patch("local name" + which, cases.zip.local[i] + 30, "X", "another name");
    cases.patch("local signature" + which, cases.zip.local[i], i == 0 ? "PK\x03\x05" : "PK\x01\x02", "");
  }
  // Entries 2 and 3 are the storages: 2 stretched over 3, and both at one place.
  const auto overlong = static_cast<uint32_t>(cases.parts[2].data.size() + 8);
  cases.patch("overlapping entries", cases.zip.central[2] + 20, raw(overlong) + raw(overlong), "two entries overlap");
  cases.add(
      "two records for one local header",
      [&] {
        std::string name = cases.parts[2].name;
        std::string bytes =
            patched(cases.zip.bytes, cases.zip.central[3] + 42, raw(static_cast<uint32_t>(cases.zip.local[2])));
        return patched(bytes, cases.zip.central[3] + 46, name);
      }(),
      "two entries overlap");
}

void add_zip64_records(ZipCases& cases) {
  cases.patch64("zip64 locator to nowhere", cases.zip64.locator + 8, raw(~uint64_t{0}), "no zip64 end record");
  cases.patch64("zip64 locator to the start", cases.zip64.locator + 8, raw(uint64_t{0}), "no zip64 end record");
  cases.patch64("zip64 locator signature", cases.zip64.locator, "PKxx", "no zip64 locator");
  cases.patch64("zip64 entries", cases.zip64.end64 + 24, raw(~uint64_t{0}) + raw(~uint64_t{0}), "do not fit");
  cases.patch64("zip64 two numbers of entries", cases.zip64.end64 + 24, raw(uint64_t{1}), "two numbers of entries");
  cases.patch64("zip64 directory size", cases.zip64.end64 + 40, raw(~uint64_t{0}), "outside the file");
  cases.patch64("zip64 directory offset", cases.zip64.end64 + 48, raw(~uint64_t{0}), "outside the file");
  cases.patch64("zip64 directory offset wraps", cases.zip64.end64 + 48, raw(~uint64_t{0} - 100), "outside the file");
  for (size_t i = 0; i < cases.parts.size(); ++i) {
    const std::string which = " of entry " + std::to_string(i);
    const size_t field = cases.zip64.central[i] + 46 + cases.parts[i].name.size();
    cases.patch64("zip64 size lie" + which, field + 4, raw(~uint64_t{0}) + raw(~uint64_t{0}), "reach beyond the data");
    cases.patch64("zip64 size wraps" + which, field + 4, raw(~uint64_t{0} - 60) + raw(~uint64_t{0} - 60),
                  "reach beyond the data");
    cases.patch64("zip64 offset lie" + which, field + 20, raw(~uint64_t{0}), "no local header");
    cases.patch64("zip64 field too short" + which, field + 2, raw(uint16_t{8}), "too short");
    cases.patch64("zip64 field too long" + which, field + 2, raw(uint16_t{200}), "outside its record");
  }
}

}  // namespace

std::vector<MalformedCase> hostile_archives() {
  ZipCases cases;
  add_refused_entries(cases);
  add_refused_archives(cases);
  add_end_records(cases);
  add_records(cases);
  add_zip64_records(cases);
  return cases.all;
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

}  // namespace deberta::test
