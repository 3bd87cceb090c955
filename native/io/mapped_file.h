// A file as read-only memory. The one place that talks to the operating system about files; formats live beside it.
//
// The bytes are the page cache's: instances that map one checkpoint share its memory. A file that another process
// shortens while it is mapped is outside what any reader can survive; replace checkpoints by renaming, not by writing
// in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace deberta {

class MappedFile {
 public:
  /// Maps the regular file at `path` (UTF-8). Throws FILE_NOT_FOUND when it is missing, unreadable or no regular file.
  static std::shared_ptr<const MappedFile> open(const std::string& path);

  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const uint8_t* data() const { return data_; }  // [size()], page aligned; not null even when the file is empty
  size_t size() const { return size_; }
  const std::string& path() const { return path_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  /// Takes the pages that were read so far out of this process's resident memory: they are the page cache's, and come
  /// back when they are read again. Does nothing where the system has no such call.
  void release_pages() const;

 private:
  MappedFile() = default;

  std::string path_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// Whether a regular file that can be opened is at `path`.
bool file_exists(const std::string& path);

/// `directory` and `name` with one separator between them.
std::string join_path(const std::string& directory, const std::string& name);

}  // namespace deberta
