// POSIX and Windows mappings of a whole file. An empty file cannot be mapped and becomes an empty static buffer.
#include "io/mapped_file.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/error.h"

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace deberta {
namespace {

constexpr uint8_t kEmpty[1] = {0};

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw Error(ErrorCode::kFILE_NOT_FOUND, path + ": " + why);
}

std::filesystem::path native_path(const std::string& path) {
  return std::filesystem::path(reinterpret_cast<const char8_t*>(path.c_str()));
}

#ifdef _WIN32

struct Handle {
  HANDLE value;
  ~Handle() {
    if (value != nullptr && value != INVALID_HANDLE_VALUE) CloseHandle(value);
  }
};

[[noreturn]] void fail_with_system_error(const std::string& path, const char* action) {
  fail(path, std::string(action) + ": " + std::system_category().message(static_cast<int>(GetLastError())));
}

const uint8_t* map_whole_file(const std::string& path, size_t& size) {
  const Handle file{CreateFileW(native_path(path).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr,
                                OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr)};
  LARGE_INTEGER length{};
  if (file.value == INVALID_HANDLE_VALUE || !GetFileSizeEx(file.value, &length)) {
    fail_with_system_error(path, "cannot open");
  }
  size = static_cast<size_t>(length.QuadPart);
  if (size == 0) return kEmpty;
  const Handle mapping{CreateFileMappingW(file.value, nullptr, PAGE_READONLY, 0, 0, nullptr)};
  const void* data = mapping.value ? MapViewOfFile(mapping.value, FILE_MAP_READ, 0, 0, 0) : nullptr;
  if (data == nullptr) fail_with_system_error(path, "cannot map");
  return static_cast<const uint8_t*>(data);
}

void unmap(const uint8_t* data, size_t) { UnmapViewOfFile(data); }

#else

struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) close(value);
  }
};

[[noreturn]] void fail_with_system_error(const std::string& path, const char* action) {
  fail(path, std::string(action) + ": " + std::generic_category().message(errno));
}

const uint8_t* map_whole_file(const std::string& path, size_t& size) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer; it is then refused as no regular file.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status{};
  if (file.value < 0 || fstat(file.value, &status) != 0) fail_with_system_error(path, "cannot open");
  if (!S_ISREG(status.st_mode)) fail(path, "expected a regular file, found a directory or device");
  size = static_cast<size_t>(status.st_size);
  if (size == 0) return kEmpty;
  const void* data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  if (data == MAP_FAILED) fail_with_system_error(path, ("cannot map " + std::to_string(size) + " bytes").c_str());
  return static_cast<const uint8_t*>(data);
}

void unmap(const uint8_t* data, size_t size) { munmap(const_cast<uint8_t*>(data), size); }

#endif

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::string& path) {
  if (path.find('\0') != std::string::npos) fail(path.substr(0, path.find('\0')), "the path holds a NUL character");
  const std::shared_ptr<MappedFile> file(new MappedFile());
  file->path_ = path;
  file->data_ = map_whole_file(path, file->size_);
  return file;
}

MappedFile::~MappedFile() {
  if (size_ != 0) unmap(data_, size_);
}

void MappedFile::release_pages() const {
#if defined(__linux__)
  if (size_ != 0) madvise(const_cast<uint8_t*>(data_), size_, MADV_DONTNEED);  // read only: nothing is lost
#endif
}

bool file_exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(native_path(path), ignored);
}

std::string join_path(const std::string& directory, const std::string& name) {
  if (directory.empty()) return name;
  const char last = directory.back();
  return last == '/' || last == '\\' ? directory + name : directory + "/" + name;
}

}  // namespace deberta
