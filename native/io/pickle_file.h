// A file that torch.save wrote, as a zip archive (torch >= 1.6) or in the older container, or a bare pickle: its value,
// and where the bytes of its storages are. bpe_encoder.bin is read with this as well as pytorch_model.bin. Source:
// torch/serialization.py, _load and _legacy_load.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/mapped_file.h"
#include "io/pickle_value.h"

namespace deberta {

struct StorageBytes {
  std::string key;
  const uint8_t* data = nullptr;  // in the mapping, possibly unaligned
  uint64_t bytes = 0;
};

struct PickleFile {
  std::shared_ptr<const MappedFile> file;  // strings and storages are views into it
  std::unique_ptr<PickleHeap> heap;        // what `root` refers to
  PickleValue root;
  std::vector<StorageBytes> storages;  // sorted by key

  /// The storage of that key, or nullptr.
  const StorageBytes* find_storage(std::string_view key) const;
};

/// Throws FILE_NOT_FOUND, and `code` for anything malformed or not allowed (see unpickler.h).
PickleFile read_pickle_file(const std::string& path, ErrorCode code);

/// The same for a file that is mapped already.
PickleFile read_pickle_file(const std::shared_ptr<const MappedFile>& file, ErrorCode code);

}  // namespace deberta
