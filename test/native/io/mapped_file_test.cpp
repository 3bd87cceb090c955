#include "io/mapped_file.h"

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

TEST_CASE("a mapped file shows its bytes and outlives its directory entry") {
  std::shared_ptr<const MappedFile> file;
  {
    const TemporaryDirectory directory;
    file = MappedFile::open(directory.write("some \xC3\xA9.bin", std::string("a\0b", 3)));
    CHECK(file->path() == directory.path() + "/some \xC3\xA9.bin");
  }
  CHECK(file->size() == 3);
  CHECK(file->text() == std::string_view("a\0b", 3));
}

TEST_CASE("an empty file is empty, not an error") {
  const TemporaryDirectory directory;
  const auto file = MappedFile::open(directory.write("empty", ""));
  CHECK(file->size() == 0);
  CHECK(file->data() != nullptr);
  CHECK(file->text().empty());
}

TEST_CASE("what is no regular file is FILE_NOT_FOUND and names the path") {
  const TemporaryDirectory directory;
  for (const std::string& path :
       {directory.path() + "/missing.bin", directory.path(), std::string(), std::string("a\0b", 3)}) {
    const Error error = error_of([&] { MappedFile::open(path); });
    CHECK(error.code() == ErrorCode::kFILE_NOT_FOUND);
    CHECK_MENTIONS(error, path.substr(0, path.find('\0')));
    CHECK_FALSE(file_exists(path + "/"));
  }
}

TEST_CASE("paths are joined with one separator") {
  CHECK(join_path("a/b", "c") == "a/b/c");
  CHECK(join_path("a/b/", "c") == "a/b/c");
  CHECK(join_path("", "c") == "c");
}
