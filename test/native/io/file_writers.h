// Writers of small files for the tests of this room: safetensors, zip archives, pickles and both containers of
// torch.save. They write what they are told, right or wrong; the readers under test share no code with them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace deberta::test {

/// A folder of its own that goes away with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

  /// Writes a file of that name and returns its path.
  std::string write(const std::string& name, const std::string& bytes) const;

  /// Removes everything in the folder.
  void clear() const;

 private:
  std::string path_;
};

/// The bytes of a number as this little-endian machine has them.
template <class Number>
std::string raw(Number value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// The bytes of 0.0f, 1.0f, ... (count of them).
std::string float_ramp(int count);

/// `bytes` with those at `offset` replaced.
std::string patched(std::string bytes, size_t offset, const std::string& replacement);

std::string safetensors_file(const std::string& header, const std::string& data);

/// Three tensors: "a" F32 [2, 3] = 0..5, "b" F16 [4], "c" I64 [] and __metadata__.
std::string valid_safetensors();

struct ZipPart {
  std::string name;
  std::string data;
  uint16_t method = 0;
  uint16_t flags = 0x0800;  // names are UTF-8
};

/// An archive and where its records start.
struct ZipFile {
  std::string bytes;
  std::vector<size_t> local;    // local header of each part
  std::vector<size_t> data;     // data of each part
  std::vector<size_t> central;  // directory record of each part
  size_t end64 = 0;             // zip64 end record; with zip64
  size_t locator = 0;           // its locator; with zip64
  size_t end = 0;               // end record
};

ZipFile zip_file(const std::vector<ZipPart>& parts, bool zip64 = false);

/// Appends opcodes; `bytes()` is the pickle. Starts with PROTO 2.
class PickleWriter {
 public:
  PickleWriter& op(const std::string& opcodes);
  PickleWriter& text(const std::string& utf8);
  PickleWriter& integer(int64_t value);
  PickleWriter& integers(const std::vector<int64_t>& values);  // a tuple
  PickleWriter& global(const std::string& module, const std::string& name);
  PickleWriter& empty_ordered_dict();
  PickleWriter& storage(const std::string& type, const std::string& key, int64_t elements, bool legacy = false);

  const std::string& bytes() const { return bytes_; }
  std::string stop() const { return bytes_ + "."; }

 private:
  std::string bytes_{"\x80\x02", 2};
};

/// What _rebuild_tensor_v2 is told.
struct TensorSpec {
  std::string name = "w";
  std::string type = "FloatStorage";
  std::string key = "0";
  int64_t elements = 24;  // of the storage
  int64_t offset = 0;
  std::vector<int64_t> shape = {4, 6};
  std::vector<int64_t> stride = {6, 1};
};

/// An OrderedDict of tensors as state_dict() pickles, STOP included.
std::string state_dict_pickle(const std::vector<TensorSpec>& tensors, bool legacy = false);

/// key, bytes
using Storages = std::vector<std::pair<std::string, std::string>>;

std::vector<ZipPart> torch_zip_parts(const std::string& pickle, const Storages& storages);
std::string torch_zip(const std::string& pickle, const Storages& storages);

/// Magic, protocol and system pickles, `pickle`, then the keys.
std::string torch_legacy_head(const std::string& pickle, const std::vector<std::string>& keys);
std::string torch_legacy(const std::string& pickle, const Storages& storages, size_t element_size = 4);

}  // namespace deberta::test
