#include "io/unpickler.h"

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

namespace {

/// A pickle in a file of its own, read.
struct Read {
  explicit Read(const std::string& bytes, const UnpicklerOptions& options = {}) {
    file = MappedFile::open(directory.write("p", bytes));
    const Unpickled result = unpickle(*file, 0, file->size(), heap, options);
    value = result.value;
    end = result.end;
  }

  TemporaryDirectory directory;
  std::shared_ptr<const MappedFile> file;
  PickleHeap heap;
  PickleValue value;
  size_t end = 0;
};

}  // namespace

TEST_CASE("plain values of protocols 2 to 5 are read") {
  // [None, True, False, 1, 300, -70000, 2**40, 2**80, 1.5, "é", b"\xff", (1,), {"k": 2}]
  PickleWriter pickle;
  pickle.op("](N\x88\x89K\x01").op("M" + raw(uint16_t{300})).op("J" + raw(int32_t{-70000}));
  pickle.op("\x8a\x06" + raw(int64_t{1} << 40).substr(0, 6)).op("\x8a\x0b" + std::string(10, '\0') + "\x01");
  pickle.op("G\x3f\xf8" + std::string(6, '\0')).text("é").op("C\x01\xff").op("K\x01\x85}").text("k").op("K\x02se");
  const Read read(pickle.stop());
  const PickleList* list = read.value.as_list();
  REQUIRE(list != nullptr);
  REQUIRE(list->size() == 13);
  CHECK(read.end == read.file->size());
  CHECK((*list)[0].kind() == PickleValue::Kind::kNone);
  CHECK((*list)[1].as_bool() == true);
  CHECK((*list)[2].as_bool() == false);
  CHECK((*list)[3].as_integer() == 1);
  CHECK((*list)[4].as_integer() == 300);
  CHECK((*list)[5].as_integer() == -70000);
  CHECK((*list)[6].as_integer() == int64_t{1} << 40);
  CHECK((*list)[7].as_big_integer().has_value());
  CHECK((*list)[8].as_float() == 1.5);
  CHECK((*list)[9].as_string() == "é");
  CHECK((*list)[10].kind() == PickleValue::Kind::kBytes);
  REQUIRE((*list)[11].as_sequence() != nullptr);
  CHECK((*list)[11].as_sequence()->front().as_integer() == 1);
  CHECK((*list)[12].find("k")->as_integer() == 2);
  CHECK((*list)[12].find("q") == nullptr);
}

TEST_CASE("frames, short strings, memoize and stack globals of protocol 4 are read") {
  const std::string body =
      "\x8c\x0b"
      "collections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94(\x8c\x01"
      "aK\x01h\x01K\x02u.";
  const Read read("\x80\x04\x95" + raw(static_cast<uint64_t>(body.size())) + body);
  CHECK(read.value.find("a")->as_integer() == 1);
  CHECK(read.value.find("OrderedDict")->as_integer() == 2);
}

TEST_CASE("negative LONG1 values of every length keep their sign") {
  CHECK(*Read("\x80\x02\x8a\x01\xff.").value.as_integer() == -1);
  CHECK(*Read(std::string("\x80\x02\x8a\x02\x00\x80.", 7)).value.as_integer() == -32768);
  CHECK(*Read(std::string("\x80\x02\x8a\x00.", 5)).value.as_integer() == 0);
  CHECK(*Read("\x80\x02\x8a\x08" + raw(INT64_MIN) + ".").value.as_integer() == INT64_MIN);
}

TEST_CASE("shared and cyclic values are handles to one thing and are freed") {
  const Read read(
      "\x80\x02]q\x01h\x01"
      "ah\x01"
      "a.");  // l = []; l.append(l); l.append(l)
  const PickleList* list = read.value.as_list();
  REQUIRE(list->size() == 2);
  CHECK((*list)[0].as_list() == list);
}

TEST_CASE("OrderedDict of Python 2 takes a list of pairs; attributes set by BUILD are dropped") {
  PickleWriter pickle;
  pickle.global("collections", "OrderedDict")
      .op("](](")
      .text("a")
      .integer(1)
      .op("ee\x85R")
      .op("}(")
      .text("_metadata")
      .op("}ub");
  CHECK(Read(pickle.stop()).value.find("a")->as_integer() == 1);
}

TEST_CASE("nothing but the listed callables can be named") {
  PickleWriter system;
  system.global("posix", "system").text("touch /tmp/owned").op("\x85R");
  const Error error = error_of([&] { Read(system.stop(), {.code = ErrorCode::kTOKENIZER_FILE}); });
  CHECK(error.code() == ErrorCode::kTOKENIZER_FILE);
  CHECK_MENTIONS(error, "the global \"posix.system\" is not allowed");
  CHECK_MENTIONS(error_of([] { Read("\x80\x02(iposix\nsystem\n."); }), "(INST) is not allowed");
}

TEST_CASE("steps are bounded") {
  const std::string many = "\x80\x02" + std::string(100, 'N') + std::string(99, '0') + ".";
  CHECK_NOTHROW(Read(many, {.max_steps = 201}));
  CHECK_MENTIONS(error_of([&] { Read(many, {.max_steps = 200}); }), "at most 200 steps");
}
