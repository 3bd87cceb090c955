#include "io/json_reader.h"

#include <cmath>
#include <limits>
#include <string>

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

namespace {

JsonDocument parse(const std::string& text, const JsonOptions& options = {}) {
  return parse_json(text, "x.json", options);
}

}  // namespace

TEST_CASE("every kind of value is read") {
  const JsonDocument document =
      parse(R"( {"n":null,"t":true,"f":false,"i":-12,"d":2.5e-1,"s":"x","a":[1,[],{}],"o":{"k":"v"}} )");
  const JsonObject& root = document.root_object();
  CHECK(root.size() == 8);
  CHECK(root.members()[3].key == "i");
  CHECK(root.find("n")->is_null());
  CHECK(document.bool_at(root, "t"));
  CHECK_FALSE(document.bool_at(root, "f"));
  CHECK(document.integer_at(root, "i") == -12);
  CHECK(document.number_at(root, "d") == 0.25);
  CHECK(document.number_at(root, "i") == -12.0);
  CHECK(document.string_at(root, "s") == "x");
  CHECK(document.array_at(root, "a").size() == 3);
  CHECK(document.string_at(document.object_at(root, "o"), "k") == "v");
  CHECK(root.find("zzz") == nullptr);
}

TEST_CASE("numbers keep their exact value") {
  const JsonDocument document = parse(
      "[9223372036854775807,-9223372036854775808,9223372036854775808,-0,1.0,1e3,0.1,5e-324,1.7976931348623157e308,0]");
  const JsonArray& a = *document.root().as_array();
  CHECK(a[0].as_integer() == std::numeric_limits<int64_t>::max());
  CHECK(a[1].as_integer() == std::numeric_limits<int64_t>::min());
  CHECK_FALSE(a[2].as_integer().has_value());
  CHECK(a[2].as_number() == 9223372036854775808.0);
  CHECK(std::signbit(*a[3].as_number()));
  CHECK(a[4].as_integer() == 1);
  CHECK(a[5].as_integer() == 1000);
  CHECK(a[6].as_number() == 0.1);
  CHECK_FALSE(a[6].as_integer().has_value());
  CHECK(a[7].as_number() == 5e-324);
  CHECK(a[8].as_number() == std::numeric_limits<double>::max());
  CHECK(a[9].as_integer() == 0);
}

TEST_CASE("strings are unescaped to UTF-8") {
  const JsonDocument document = parse(R"(["\"\\\/\b\f\n\r\t", "\u0041\u00e9\u20AC\ud83d\uDE00\u0000", "é€😀"])");
  const JsonArray& a = *document.root().as_array();
  CHECK(*a[0].as_string() == "\"\\/\b\f\n\r\t");
  CHECK(*a[1].as_string() == std::string("Aé€😀\0", 11));
  CHECK(*a[2].as_string() == "é€😀");
}

TEST_CASE("what RFC 8259 does not allow is refused with file and byte") {
  for (const char* bad : {"",
                          " ",
                          "{",
                          "[",
                          "[1",
                          "[1,",
                          "[1,]",
                          "[,]",
                          "[1 2]",
                          "{\"a\"",
                          "{\"a\":",
                          "{\"a\":1",
                          "{\"a\":1,}",
                          "{a:1}",
                          "{1:2}",
                          "{\"a\" 1}",
                          "\"",
                          "\"a",
                          "\"\\",
                          "\"\\x\"",
                          "\"\\u12\"",
                          "\"\\u12g4\"",
                          "\"\\ud800\"",
                          "\"\\udc00\"",
                          "\"\\ud800\\u0041\"",
                          "\"\\ud800\\ud800\"",
                          "\"\n\"",
                          "\"\x01\"",
                          "\"\xFF\"",
                          "\"\xC3\"",
                          "\"\xED\xA0\x80\"",
                          "01",
                          "-",
                          "+1",
                          ".5",
                          "1.",
                          "1.e3",
                          "1e",
                          "1e+",
                          "--1",
                          "0x10",
                          "NaN",
                          "Infinity",
                          "-Infinity",
                          "1e999",
                          "-1e999",
                          "tru",
                          "truE",
                          "nul",
                          "'a'",
                          "1 2",
                          "{} {}",
                          "[]]",
                          "// c\n1",
                          "\xEF\xBB\xBF{}",
                          "[1}",
                          "{\"a\":1]",
                          "\\",
                          "\x80"}) {
    CAPTURE(bad);
    const Error error = error_of([&] { parse(bad); });
    CHECK(error.code() == ErrorCode::kMODEL_FILE);
    CHECK_MENTIONS(error, "x.json: invalid JSON at byte ");
  }
  CHECK_MENTIONS(error_of([] { parse("[1, 2, oops]"); }), "at byte 7");
  CHECK(error_of([] { parse("[", {.code = ErrorCode::kTOKENIZER_FILE}); }).code() == ErrorCode::kTOKENIZER_FILE);
}

TEST_CASE("depth and size are bounded") {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK_NOTHROW(parse(nested(200)));
  CHECK_MENTIONS(error_of([&] { parse(nested(201)); }), "200 nested");
  CHECK_MENTIONS(error_of([&] { parse(std::string(1'000'000, '[')); }), "200 nested");
  CHECK_NOTHROW(parse("[1,2,3]", {.max_values = 4}));
  CHECK_MENTIONS(error_of([] { parse("[1,2,3,4]", {.max_values = 4}); }), "at most 4 values");
}

TEST_CASE("duplicate keys are refused, or the last one counts, in small and large objects") {
  for (const int fillers : {0, 2, 50}) {
    CAPTURE(fillers);
    std::string text = "{\"twice\":1";
    for (int i = 0; i < fillers; ++i) text += ",\"k" + std::to_string(i) + "\":" + std::to_string(i);
    text += ",\"twice\":2}";
    CHECK_MENTIONS(error_of([&] { parse(text); }), "\"twice\" twice");
    const JsonDocument document = parse(text, {.refuse_duplicate_keys = false});
    CHECK(document.integer_at(document.root_object(), "twice") == 2);
    CHECK(document.root_object().size() == static_cast<size_t>(fillers) + 2);
  }
}

TEST_CASE("a vocabulary of 100,003 entries keeps its order and finds every key") {
  std::string text = "{";
  for (int i = 0; i < 100'003; ++i) text += (i ? ",\"t" : "\"t") + std::to_string(i * 7) + "\":" + std::to_string(i);
  const JsonDocument document = parse(text + "}");
  const JsonObject& root = document.root_object();
  REQUIRE(root.size() == 100'003);
  for (int i = 0; i < 100'003; ++i) {
    REQUIRE(root.find("t" + std::to_string(i * 7))->as_integer() == i);
    REQUIRE(root.members()[i].value.as_integer() == i);
  }
  CHECK(root.find("t1") == nullptr);
  CHECK(root.find("") == nullptr);
}

TEST_CASE("getters say what was expected and found") {
  const JsonDocument document = parse(R"({"s":"x","i":3,"d":1.5,"n":null,"a":[],"o":{}})");
  const JsonObject& root = document.root_object();
  CHECK_MENTIONS(error_of([&] { document.at(root, "gone"); }), "x.json: gone: is missing");
  CHECK_MENTIONS(error_of([&] { document.integer_at(root, "s"); }), "s: expected an integer, found a string");
  CHECK_MENTIONS(error_of([&] { document.integer_at(root, "d"); }), "found the number 1.5");
  CHECK_MENTIONS(error_of([&] { document.string_at(root, "i"); }), "expected a string, found the number 3");
  CHECK_MENTIONS(error_of([&] { document.bool_at(root, "n"); }), "expected true or false, found null");
  CHECK_MENTIONS(error_of([&] { document.array_at(root, "o"); }), "expected an array, found an object");
  CHECK_MENTIONS(error_of([&] { document.object_at(root, "a"); }), "expected an object, found an array");
  CHECK_MENTIONS(error_of([&] { parse("[]").root_object(); }), "the document: expected an object");
  CHECK(document.integer_or(root, "n", 5) == 5);
  CHECK(document.integer_or(root, "gone", 6) == 6);
  CHECK(document.number_or(root, "d", 0) == 1.5);
  CHECK(document.string_or(root, "gone", "y") == "y");
  CHECK(document.bool_or(root, "gone", true));
  CHECK(document.array_or_null(root, "n") == nullptr);
  CHECK(document.object_or_null(root, "o") != nullptr);
  CHECK_MENTIONS(error_of([&] { document.integer_or(root, "s", 5); }), "expected an integer");
}

TEST_CASE("files are read from disk") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("c.json", "{\"a\":1}");
  const JsonDocument document = read_json_file(path);
  CHECK(document.integer_at(document.root_object(), "a") == 1);
  CHECK(document.file() == path);
  CHECK_MENTIONS(error_of([&] { read_json_file(directory.write("empty.json", "")); }), "the end of the text");
  CHECK(error_of([&] { read_json_file(directory.path() + "/no.json"); }).code() == ErrorCode::kFILE_NOT_FOUND);
}
