// The three containers. Storages are located and their sizes checked here; tensors are torch_checkpoint's.
#include "io/pickle_file.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <utility>

#include "io/checked_math.h"
#include "io/unpickler.h"
#include "io/utf8.h"
#include "io/zip_archive.h"

namespace deberta {
namespace {

constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // 0x1950a86a20f9469cfc6c
constexpr int64_t kLegacyProtocol = 1001;
constexpr uint8_t kProtoOpcode = 0x80;  // starts every pickle of protocol 2 and up

class PickleFileReader {
 public:
  PickleFileReader(const std::shared_ptr<const MappedFile>& file, ErrorCode code) : code_(code) {
    out_.file = file;
    out_.heap = std::make_unique<PickleHeap>();
  }

  PickleFile read() {
    if (is_zip(*out_.file)) {
      read_zip();
    } else if (out_.file->size() != 0 && out_.file->data()[0] == kProtoOpcode) {
      read_pickles();
    } else {
      fail("expected a file written by torch.save (a zip archive or a pickle of protocol 2 or later)");
    }
    std::sort(out_.storages.begin(), out_.storages.end(),
              [](const StorageBytes& a, const StorageBytes& b) { return a.key < b.key; });
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw Error(code_, out_.file->path() + ": " + message); }

  Unpickled unpickle_at(size_t begin, size_t end) const {
    return unpickle(*out_.file, begin, end, *out_.heap, {.code = code_});
  }

  void read_zip() {
    const ZipArchive archive(out_.file, code_);
    const ZipEntry& pickle = find_data_pickle(archive);
    const std::string root = pickle.name.substr(0, pickle.name.size() - std::string_view("data.pkl").size());
    if (const ZipEntry* order = archive.find(root + "byteorder")) {
      const std::string_view text = out_.file->text().substr(order->offset, order->size);
      if (text != "little") fail("expected byte order \"little\", found \"" + printable(text) + "\"");
    }
    out_.root = unpickle_at(pickle.offset, pickle.offset + pickle.size).value;
    const std::string storage_prefix = root + "data/";
    for (const ZipEntry& entry : archive.entries()) {
      if (!entry.name.starts_with(storage_prefix)) continue;
      out_.storages.push_back({entry.name.substr(storage_prefix.size()), out_.file->data() + entry.offset, entry.size});
    }
  }

  /// "data.pkl" in the archive's one top-level folder.
  const ZipEntry& find_data_pickle(const ZipArchive& archive) const {
    const ZipEntry* found = nullptr;
    for (const ZipEntry& entry : archive.entries()) {
      if (entry.name != "data.pkl" && !entry.name.ends_with("/data.pkl")) continue;
      if (std::count(entry.name.begin(), entry.name.end(), '/') > 1) continue;
      if (found != nullptr) {
        fail("expected one data.pkl in the archive, found \"" + found->name + "\" and \"" + entry.name + "\"");
      }
      found = &entry;
    }
    if (found == nullptr) fail("expected a zip archive of torch.save, found one without data.pkl");
    return *found;
  }

  /// A bare pickle, or five of them and the storages: magic, protocol, system, value, keys.
  void read_pickles() {
    const size_t size = out_.file->size();
    const Unpickled first = unpickle_at(0, size);
    if (first.value.as_big_integer() != kLegacyMagic) {
      if (first.end != size) fail(std::to_string(size - first.end) + " bytes follow the end of the pickle");
      out_.root = first.value;
      return;
    }
    const Unpickled protocol = unpickle_at(first.end, size);
    if (protocol.value.as_integer() != kLegacyProtocol) {
      fail("expected torch.save protocol " + std::to_string(kLegacyProtocol) + ", found " + protocol.value.describe());
    }
    const Unpickled system = unpickle_at(protocol.end, size);
    const PickleValue* little_endian = system.value.find("little_endian");
    if (little_endian == nullptr || little_endian->as_bool() != true) {
      fail("expected a file of a little endian machine");
    }
    const Unpickled value = unpickle_at(system.end, size);
    out_.root = value.value;
    const Unpickled keys = unpickle_at(value.end, size);
    locate_legacy_storages(keys.value, keys.end);
  }

  /// For every key, in order: u64 number of elements | elements.
  void locate_legacy_storages(PickleValue keys, size_t at) {
    const PickleList* list = keys.as_list();
    if (list == nullptr) fail("expected a list of storage keys, found " + keys.describe());
    std::map<std::string_view, const PickleStorage*> waiting;
    for (const PickleStorage& storage : out_.heap->storages) {
      const auto [known, fresh] = waiting.emplace(storage.key, &storage);
      if (!fresh && (known->second->dtype != storage.dtype || known->second->elements != storage.elements)) {
        fail(quoted(storage.key) + " is described in two ways");
      }
    }
    for (const PickleValue& item : *list) {
      const auto key = item.as_string();
      if (!key) fail("expected storage keys to be strings, found " + item.describe());
      const auto known = waiting.find(*key);
      if (known == waiting.end()) fail(quoted(*key) + " is listed twice or used by no tensor");
      at = locate_legacy_storage(*known->second, at);
      waiting.erase(known);
    }
    if (!waiting.empty()) fail(quoted(waiting.begin()->first) + " is not in the file");
  }

  size_t locate_legacy_storage(const PickleStorage& storage, size_t at) {
    uint64_t elements = 0, bytes = 0;
    if (!range_within(at, sizeof elements, out_.file->size())) fail(quoted(storage.key) + " is cut off");
    std::memcpy(&elements, out_.file->data() + at, sizeof elements);
    at += sizeof elements;
    if (elements != static_cast<uint64_t>(storage.elements)) {
      fail(quoted(storage.key) + ": expected " + std::to_string(storage.elements) + " elements, found " +
           std::to_string(elements));
    }
    if (!checked_multiply(elements, file_dtype_size(storage.dtype), bytes) ||
        !range_within(at, bytes, out_.file->size())) {
      fail(quoted(storage.key) + ": " + std::to_string(elements) + " elements reach beyond the end of the file");
    }
    out_.storages.push_back({std::string(storage.key), out_.file->data() + at, bytes});
    return at + bytes;
  }

  static std::string quoted(std::string_view key) { return "storage \"" + printable(key) + "\""; }

  ErrorCode code_;
  PickleFile out_;
};

}  // namespace

const StorageBytes* PickleFile::find_storage(std::string_view key) const {
  const auto storage =
      std::lower_bound(storages.begin(), storages.end(), key,
                       [](const StorageBytes& candidate, std::string_view wanted) { return candidate.key < wanted; });
  return storage != storages.end() && storage->key == key ? &*storage : nullptr;
}

PickleFile read_pickle_file(const std::string& path, ErrorCode code) {
  return read_pickle_file(MappedFile::open(path), code);
}

PickleFile read_pickle_file(const std::shared_ptr<const MappedFile>& file, ErrorCode code) {
  return PickleFileReader(file, code).read();
}

}  // namespace deberta
