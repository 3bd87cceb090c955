#include "io/pickle_file.h"

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

namespace {

const std::string kFixtures = DEBERTA_TEST_FIXTURES "/checkpoints/";

void check_vocabulary(const PickleFile& pickle) {
  const PickleValue* dict_map = pickle.root.find("dict_map");
  REQUIRE(dict_map != nullptr);
  REQUIRE(dict_map->as_sequence()->size() == 3);
  const PickleList& first = *dict_map->as_sequence()->front().as_sequence();
  CHECK(first[0].as_string() == "464");
  CHECK(first[1].as_integer() == 5);
  const PickleList& merge = *pickle.root.find("vocab")->as_sequence()->back().as_sequence();
  CHECK(merge[0].as_string() == "Ġt");
  CHECK(merge[1].as_string() == "he");
  CHECK(pickle.root.find("encoder")->as_dict()->size() == 3);
  CHECK(pickle.root.find("encoder")->find("Ġthe")->as_integer() == 262);
}

}  // namespace

TEST_CASE("a vocabulary in either container of torch.save is read") {
  for (const char* name : {"vocabulary_zip.bin", "vocabulary_legacy.bin"}) {
    CAPTURE(name);
    const PickleFile pickle = read_pickle_file(kFixtures + name, ErrorCode::kTOKENIZER_FILE);
    check_vocabulary(pickle);
    CHECK(pickle.storages.empty());
  }
}

TEST_CASE("a bare pickle is read") {
  const TemporaryDirectory directory;
  const std::string path = directory.write("p", PickleWriter().op("}").text("a").integer(1).op("s").stop());
  CHECK(read_pickle_file(path, ErrorCode::kMODEL_FILE).root.find("a")->as_integer() == 1);
}

TEST_CASE("storages are found by key in both containers") {
  const TemporaryDirectory directory;
  const std::string path =
      directory.write("z", torch_zip(state_dict_pickle({{}}), {{"0", float_ramp(24)}, {"1", "abc"}}));
  const PickleFile zip = read_pickle_file(path, ErrorCode::kMODEL_FILE);
  REQUIRE(zip.find_storage("0") != nullptr);
  CHECK(zip.find_storage("0")->bytes == 96);
  CHECK(zip.find_storage("1")->bytes == 3);
  CHECK(zip.find_storage("2") == nullptr);
  const PickleFile legacy =
      read_pickle_file(directory.write("l", torch_legacy(state_dict_pickle({{}}, true), {{"0", float_ramp(24)}})),
                       ErrorCode::kMODEL_FILE);
  REQUIRE(legacy.find_storage("0") != nullptr);
  CHECK(std::string(reinterpret_cast<const char*>(legacy.find_storage("0")->data), 96) == float_ramp(24));
}

TEST_CASE("other files are refused with the caller's code") {
  const TemporaryDirectory directory;
  for (const std::string& bytes : {std::string(), std::string("\x80"), std::string("(dp0\n."), std::string("GGUF"),
                                   std::string("\x80\x02N.N."), zip_file({{"other", "x"}}).bytes}) {
    const std::string path = directory.write("f", bytes);
    const Error error = error_of([&] { read_pickle_file(path, ErrorCode::kTOKENIZER_FILE); });
    CHECK(error.code() == ErrorCode::kTOKENIZER_FILE);
    CHECK_MENTIONS(error, path);
  }
  CHECK(error_of([&] { read_pickle_file(directory.path() + "/no", ErrorCode::kTOKENIZER_FILE); }).code() ==
        ErrorCode::kFILE_NOT_FOUND);
}
