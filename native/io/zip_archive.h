// The zip container as torch.save writes it: stored entries, zip64 where needed. Finds entries; decompresses nothing.
// Source: PKWARE APPNOTE 6.3, sections 4.3 and 4.5.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/mapped_file.h"

namespace deberta {

struct ZipEntry {
  std::string name;
  uint64_t offset = 0;  // of the entry's data in the file
  uint64_t size = 0;    // in bytes
};

/// Whether the file starts with a zip local header.
bool is_zip(const MappedFile& file);

class ZipArchive {
 public:
  /// Reads the central directory and every local header. Throws `code` for a malformed archive, and for entries that
  /// are compressed, encrypted, overlapping, outside the file, or named twice or with a path that leaves the archive.
  ZipArchive(const std::shared_ptr<const MappedFile>& file, ErrorCode code);

  const std::vector<ZipEntry>& entries() const { return entries_; }  // sorted by name

  /// The entry of that name, or nullptr.
  const ZipEntry* find(const std::string& name) const;

 private:
  std::vector<ZipEntry> entries_;
};

}  // namespace deberta
