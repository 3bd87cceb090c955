// End record, zip64 end record, central directory, local headers: in this order, every field checked against the file.
#include "io/zip_archive.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "io/checked_math.h"
#include "io/utf8.h"

namespace deberta {
namespace {

constexpr uint32_t kLocalSignature = 0x04034b50, kCentralSignature = 0x02014b50, kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50, kEnd64LocatorSignature = 0x07064b50;
constexpr uint64_t kLocalSize = 30, kCentralSize = 46, kEndSize = 22, kEnd64Size = 56, kEnd64LocatorSize = 20;
constexpr uint64_t kMaxComment = 0xFFFF;
constexpr uint16_t kZip64Extra = 1;
constexpr uint16_t kEncrypted = 1 | 1 << 6 | 1 << 13;  // bits of the general purpose flag
constexpr uint32_t kIn64 = 0xFFFFFFFF;                 // "the value is in the zip64 record"

/// Where the central directory lies.
struct Directory {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t entries = 0;
};

/// An entry as the directory claims it, before its local header was seen.
struct Claim {
  std::string_view name;
  uint16_t flags = 0;
  uint16_t method = 0;
  uint64_t compressed = 0;
  uint64_t size = 0;
  uint64_t local_offset = 0;
};

class Reader {
 public:
  Reader(const MappedFile& file, ErrorCode code) : file_(file), code_(code) {}

  std::vector<ZipEntry> entries() const {
    const Directory directory = find_directory();
    std::vector<ZipEntry> entries;
    std::vector<std::pair<uint64_t, uint64_t>> ranges;  // [local header, end of data) of each entry
    uint64_t at = directory.offset;
    const uint64_t end = directory.offset + directory.size;
    for (uint64_t i = 0; i < directory.entries; ++i) {
      const Claim claim = read_claim(at, end);
      entries.push_back(locate(claim, directory.offset));
      ranges.emplace_back(claim.local_offset, entries.back().offset + entries.back().size);
    }
    if (at != end) fail("the central directory is longer than its entries");
    std::sort(ranges.begin(), ranges.end());
    for (size_t i = 1; i < ranges.size(); ++i) {
      if (ranges[i].first < ranges[i - 1].second) {
        fail("two entries overlap at offset " + std::to_string(ranges[i].first));
      }
    }
    return entries;
  }

  [[noreturn]] void fail(const std::string& message) const {
    throw Error(code_, file_.path() + ": malformed zip archive: " + message);
  }

 private:
  template <class Integer>
  Integer read(uint64_t offset) const {
    if (!range_within(offset, sizeof(Integer), file_.size())) fail("a record ends outside the file");
    Integer value;
    std::memcpy(&value, file_.data() + offset, sizeof value);
    return value;
  }

  std::string_view read_text(uint64_t offset, uint64_t length) const {
    if (!range_within(offset, length, file_.size())) fail("a name ends outside the file");
    return file_.text().substr(offset, length);
  }

  Directory find_directory() const {
    const uint64_t end = find_end_record();
    Directory directory;
    directory.entries = read<uint16_t>(end + 10);
    directory.size = read<uint32_t>(end + 12);
    directory.offset = read<uint32_t>(end + 16);
    if (read<uint16_t>(end + 4) != 0 || read<uint16_t>(end + 6) != 0) fail("expected one part, found a split archive");
    uint64_t limit = end;
    if (directory.entries == 0xFFFF || directory.size == kIn64 || directory.offset == kIn64) {
      limit = read_end64_record(end, directory);
    } else if (read<uint16_t>(end + 8) != directory.entries) {
      fail("the end record gives two numbers of entries");
    }
    if (!range_within(directory.offset, directory.size, limit)) fail("the central directory lies outside the file");
    if (directory.entries > directory.size / kCentralSize) {
      fail(std::to_string(directory.entries) + " entries do not fit into the central directory");
    }
    return directory;
  }

  /// The end record is the file's last, save for a comment whose length it states.
  uint64_t find_end_record() const {
    if (file_.size() < kEndSize) fail("the file is shorter than an end record");
    const uint64_t last = file_.size() - kEndSize;
    const uint64_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (uint64_t at = last + 1; at-- > first;) {
      if (read<uint32_t>(at) == kEndSignature && at + kEndSize + read<uint16_t>(at + 20) == file_.size()) return at;
    }
    fail("there is no end record: is the file complete?");
  }

  /// Fills the directory from the zip64 end record and returns where that record starts.
  uint64_t read_end64_record(uint64_t end, Directory& directory) const {
    if (end < kEnd64LocatorSize || read<uint32_t>(end - kEnd64LocatorSize) != kEnd64LocatorSignature) {
      fail("there is no zip64 locator");
    }
    const uint64_t at = read<uint64_t>(end - kEnd64LocatorSize + 8);
    if (!range_within(at, kEnd64Size, end - kEnd64LocatorSize) || read<uint32_t>(at) != kEnd64Signature) {
      fail("there is no zip64 end record where the locator says");
    }
    directory.entries = read<uint64_t>(at + 32);
    directory.size = read<uint64_t>(at + 40);
    directory.offset = read<uint64_t>(at + 48);
    if (read<uint64_t>(at + 24) != directory.entries) fail("the zip64 end record gives two numbers of entries");
    return at;
  }

  /// The directory's record at `at`, which moves on to the next one.
  Claim read_claim(uint64_t& at, uint64_t end) const {
    if (!range_within(at, kCentralSize, end) || read<uint32_t>(at) != kCentralSignature) {
      fail("expected a central directory record at offset " + std::to_string(at));
    }
    const uint64_t name_size = read<uint16_t>(at + 28), extra_size = read<uint16_t>(at + 30);
    const uint64_t record_size = kCentralSize + name_size + extra_size + read<uint16_t>(at + 32);
    if (!range_within(at, record_size, end)) fail("a central directory record ends outside the directory");
    Claim claim;
    claim.name = read_text(at + kCentralSize, name_size);
    claim.flags = read<uint16_t>(at + 8);
    claim.method = read<uint16_t>(at + 10);
    claim.compressed = read<uint32_t>(at + 20);
    claim.size = read<uint32_t>(at + 24);
    claim.local_offset = read<uint32_t>(at + 42);
    apply_zip64_extra(at + kCentralSize + name_size, extra_size, claim);
    at += record_size;
    return claim;
  }

  /// The zip64 field holds, in this order, those of size, compressed size and offset that are 0xFFFFFFFF in the record.
  void apply_zip64_extra(uint64_t at, uint64_t extra_size, Claim& claim) const {
    const uint64_t end = at + extra_size;
    while (range_within(at, 4, end)) {
      const uint64_t field_end = at + 4 + read<uint16_t>(at + 2);
      if (field_end > end) fail(quoted(claim.name) + ": an extra field ends outside its record");
      if (read<uint16_t>(at) == kZip64Extra) {
        uint64_t value_at = at + 4;
        for (uint64_t* value : {&claim.size, &claim.compressed, &claim.local_offset}) {
          if (*value != kIn64) continue;
          if (!range_within(value_at, 8, field_end)) fail(quoted(claim.name) + ": the zip64 field is too short");
          *value = read<uint64_t>(value_at);
          value_at += 8;
        }
        return;
      }
      at = field_end;
    }
  }

  ZipEntry locate(const Claim& claim, uint64_t directory_offset) const {
    check_name(claim.name);
    if (claim.flags & kEncrypted) fail(quoted(claim.name) + " is encrypted");
    if (claim.method != 0 || claim.compressed != claim.size) {
      fail(quoted(claim.name) + ": expected a stored entry, found compression method " + std::to_string(claim.method));
    }
    if (!range_within(claim.local_offset, kLocalSize, directory_offset) ||
        read<uint32_t>(claim.local_offset) != kLocalSignature) {
      fail(quoted(claim.name) + ": there is no local header at offset " + std::to_string(claim.local_offset));
    }
    const uint64_t name_size = read<uint16_t>(claim.local_offset + 26);
    if (read_text(claim.local_offset + kLocalSize, name_size) != claim.name) {
      fail(quoted(claim.name) + " has another name in its local header");
    }
    if (read<uint16_t>(claim.local_offset + 8) != 0) fail(quoted(claim.name) + " is compressed by its local header");
    const uint64_t data = claim.local_offset + kLocalSize + name_size + read<uint16_t>(claim.local_offset + 28);
    if (!range_within(data, claim.size, directory_offset)) {
      fail(quoted(claim.name) + ": " + std::to_string(claim.size) + " bytes at offset " + std::to_string(data) +
           " reach beyond the data section");
    }
    return {std::string(claim.name), data, claim.size};
  }

  void check_name(std::string_view name) const {
    bool climbs = name.empty() || name.front() == '/' || name.find_first_of(std::string_view("\\\0", 2)) != name.npos;
    for (size_t start = 0; start <= name.size() && !climbs;) {
      const size_t end = std::min(name.find('/', start), name.size());
      climbs = name.substr(start, end - start) == "..";
      start = end + 1;
    }
    if (climbs || !is_utf8(name)) fail("expected entry names inside the archive, found " + quoted(name));
  }

  static std::string quoted(std::string_view name) { return "entry \"" + printable(name) + "\""; }

  const MappedFile& file_;
  ErrorCode code_;
};

}  // namespace

bool is_zip(const MappedFile& file) { return file.text().starts_with("PK\x03\x04"); }

ZipArchive::ZipArchive(const std::shared_ptr<const MappedFile>& file, ErrorCode code) {
  const Reader reader(*file, code);
  entries_ = reader.entries();
  std::sort(entries_.begin(), entries_.end(), [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
  for (size_t i = 1; i < entries_.size(); ++i) {
    if (entries_[i].name == entries_[i - 1].name) {
      reader.fail("two entries are named \"" + printable(entries_[i].name) + "\"");
    }
  }
}

const ZipEntry* ZipArchive::find(const std::string& name) const {
  const auto entry =
      std::lower_bound(entries_.begin(), entries_.end(), name,
                       [](const ZipEntry& candidate, const std::string& wanted) { return candidate.name < wanted; });
  return entry != entries_.end() && entry->name == name ? &*entry : nullptr;
}

}  // namespace deberta
