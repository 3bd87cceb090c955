#include "io/zip_archive.h"

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

TEST_CASE("stored entries are found, in plain and in zip64 archives, with and without a comment") {
  const TemporaryDirectory directory;
  for (const bool zip64 : {false, true}) {
    std::string bytes = zip_file({{"b/two", "22"}, {"a/one", "1"}, {"empty", ""}}, zip64).bytes;
    for (const std::string& comment : {std::string(), std::string("a remark PK\x05\x06 of sorts")}) {
      const std::string commented =
          patched(bytes, bytes.size() - 2, raw(static_cast<uint16_t>(comment.size()))) + comment;
      const auto file = MappedFile::open(directory.write("z", commented));
      REQUIRE(is_zip(*file));
      const ZipArchive archive(file, ErrorCode::kMODEL_FILE);
      REQUIRE(archive.entries().size() == 3);
      const ZipEntry* two = archive.find("b/two");
      REQUIRE(two != nullptr);
      CHECK(file->text().substr(two->offset, two->size) == "22");
      CHECK(archive.find("empty")->size == 0);
      CHECK(archive.find("b/tw") == nullptr);
    }
  }
}

TEST_CASE("compressed entries are refused by name, with the caller's code") {
  const TemporaryDirectory directory;
  const auto file = MappedFile::open(directory.write("z", zip_file({{"x/data.pkl", "12345", 8}}).bytes));
  const Error error = error_of([&] { ZipArchive(file, ErrorCode::kTOKENIZER_FILE); });
  CHECK(error.code() == ErrorCode::kTOKENIZER_FILE);
  CHECK_MENTIONS(error, "\"x/data.pkl\": expected a stored entry, found compression method 8");
}

TEST_CASE("other files are no archives") {
  const TemporaryDirectory directory;
  CHECK_FALSE(is_zip(*MappedFile::open(directory.write("z", "PK\x03"))));
  CHECK_FALSE(is_zip(*MappedFile::open(directory.write("z", ""))));
}
