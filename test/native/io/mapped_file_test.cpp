#include "io/mapped_file.h"

#include <fstream>
#include <string>

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

#if defined(__linux__)
TEST_CASE("released pages leave resident memory and read the same again") {
  const auto resident = [](const MappedFile& file) {  // of /proc/self/smaps: "Rss:  <n> kB" of the file's mapping
    std::ifstream maps("/proc/self/smaps");
    std::string line;
    while (std::getline(maps, line) && line.find(file.path()) == line.npos) {
    }
    while (std::getline(maps, line) && !line.starts_with("Rss:")) {
    }
    return std::stol(line.substr(4));
  };
  const TemporaryDirectory directory;
  std::string bytes(300000, 'x');
  bytes.back() = 'y';
  const auto file = MappedFile::open(directory.write("pages.bin", bytes));
  CHECK(file->text() == bytes);
  CHECK(resident(*file) >= 290);
  file->release_pages();
  CHECK(resident(*file) == 0);
  CHECK(file->text() == bytes);
}
#endif

TEST_CASE("an empty file is empty, not an error") {
  const TemporaryDirectory directory;
  const auto file = MappedFile::open(directory.write("empty", ""));
  CHECK(file->size() == 0);
  CHECK(file->data() != nullptr);
  CHECK(file->text().empty());
  file->release_pages();
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
