// Header, then every tensor by itself, then the tensors against each other: no gap, no overlap, nothing left over.
#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "io/checked_math.h"
#include "io/json_reader.h"
#include "io/utf8.h"

namespace deberta {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the limit of the Rust reader
constexpr size_t kMaxHeaderValues = 4u << 20;      // a tensor has about 8: half a million tensors
constexpr size_t kMaxRank = 16;

[[noreturn]] void fail(const MappedFile& file, const std::string& message) {
  throw Error(ErrorCode::kMODEL_FILE, file.path() + ": " + message);
}

std::string_view header_text(const MappedFile& file) {
  uint64_t length = 0;
  if (file.size() < sizeof length) {
    fail(file, "expected a safetensors file of at least 8 bytes, found " + std::to_string(file.size()));
  }
  std::memcpy(&length, file.data(), sizeof length);
  if (length > kMaxHeaderBytes) {
    fail(file,
         "expected a header of at most " + std::to_string(kMaxHeaderBytes) + " bytes, found " + std::to_string(length));
  }
  if (!range_within(sizeof length, length, file.size())) {
    fail(file,
         "the header takes " + std::to_string(length) + " bytes, the whole file only " + std::to_string(file.size()));
  }
  const std::string_view header = file.text().substr(sizeof length, length);
  if (!header.starts_with('{')) fail(file, "expected the header to start with '{'");
  return header;
}

/// One entry of the header, checked by itself.
class EntryReader {
 public:
  EntryReader(const JsonDocument& header, const JsonMember& member, uint64_t data_size)
      : header_(header),
        name_("tensor \"" + printable(member.key) + "\""),
        entry_(header.expect_object(member.value, name_)),
        data_size_(data_size) {}

  FileDType dtype() const {
    const std::string& text = header_.expect_string(required("dtype"), name_ + ": dtype");
    const auto dtype = file_dtype_from_name(text);
    if (!dtype) {
      fail("expected dtype F64, F32, F16, BF16, I64, I32, I16, I8, U8 or BOOL, found \"" + printable(text) + "\"");
    }
    return *dtype;
  }

  std::vector<int64_t> shape() const {
    const JsonArray& dimensions = header_.expect_array(required("shape"), name_ + ": shape");
    if (dimensions.size() > kMaxRank) {
      fail("expected at most " + std::to_string(kMaxRank) + " dimensions, found " + std::to_string(dimensions.size()));
    }
    std::vector<int64_t> shape;
    for (const JsonValue& dimension : dimensions) shape.push_back(header_.expect_integer(dimension, name_ + ": shape"));
    return shape;
  }

  /// [begin, end) within the data section.
  std::pair<uint64_t, uint64_t> data_offsets() const {
    const JsonArray& offsets = header_.expect_array(required("data_offsets"), name_ + ": data_offsets");
    if (offsets.size() != 2) {
      fail("expected data_offsets [begin, end], found " + std::to_string(offsets.size()) + " numbers");
    }
    const int64_t begin = header_.expect_integer(offsets[0], name_ + ": data_offsets");
    const int64_t end = header_.expect_integer(offsets[1], name_ + ": data_offsets");
    if (begin < 0 || begin > end || static_cast<uint64_t>(end) > data_size_) {
      fail("expected data_offsets within the " + std::to_string(data_size_) + " bytes of data, found [" +
           std::to_string(begin) + ", " + std::to_string(end) + "]");
    }
    return {static_cast<uint64_t>(begin), static_cast<uint64_t>(end)};
  }

  [[noreturn]] void fail(const std::string& message) const { header_.fail(name_, message); }

 private:
  const JsonValue& required(const char* key) const {
    const JsonValue* value = entry_.find(key);
    if (value == nullptr) fail(std::string("the entry lacks \"") + key + "\"");
    return *value;
  }

  const JsonDocument& header_;
  std::string name_;
  const JsonObject& entry_;
  uint64_t data_size_;
};

CheckpointTensor read_entry(const JsonDocument& header, const JsonMember& member,
                            const std::shared_ptr<const MappedFile>& file, size_t data_start) {
  const EntryReader entry(header, member, file->size() - data_start);
  CheckpointTensor tensor;
  tensor.name = member.key;
  tensor.dtype = entry.dtype();
  tensor.shape = entry.shape();
  const auto [begin, end] = entry.data_offsets();
  const auto bytes = tensor_bytes(tensor.shape, tensor.dtype);
  if (!bytes) entry.fail("a shape of " + shape_string(tensor.shape) + " is negative or too large");
  if (*bytes != end - begin) {
    entry.fail(shape_string(tensor.shape) + " of " + file_dtype_name(tensor.dtype) + " takes " +
               std::to_string(*bytes) + " bytes, but data_offsets span " + std::to_string(end - begin));
  }
  tensor.data = file->data() + data_start + begin;
  tensor.bytes = static_cast<size_t>(*bytes);
  tensor.file = file->path();
  tensor.owner = file;
  return tensor;
}

void check_metadata(const JsonDocument& header, const JsonValue& metadata) {
  for (const JsonMember& member : header.expect_object(metadata, "__metadata__").members()) {
    header.expect_string(member.value, "__metadata__: " + printable(member.key));
  }
}

/// `tensors` are sorted by their data; together they must be the data section, byte for byte.
void check_coverage(const MappedFile& file, const std::vector<CheckpointTensor>& tensors, size_t data_start) {
  const uint8_t* expected = file.data() + data_start;
  for (const CheckpointTensor& tensor : tensors) {
    const auto* found = static_cast<const uint8_t*>(tensor.data);
    if (found != expected) {
      fail(file, "tensor \"" + printable(tensor.name) + "\": expected its data at offset " +
                     std::to_string(expected - file.data() - data_start) + " where the one before ends, found it at " +
                     std::to_string(found - file.data() - data_start));
    }
    expected += tensor.bytes;
  }
  const size_t left = static_cast<size_t>(file.data() + file.size() - expected);
  if (left != 0) fail(file, "the last " + std::to_string(left) + " bytes of the file belong to no tensor");
}

}  // namespace

std::vector<CheckpointTensor> read_safetensors(const std::shared_ptr<const MappedFile>& file) {
  const std::string_view text = header_text(*file);
  const JsonDocument header = parse_json(text, file->path(), {.max_values = kMaxHeaderValues});
  const size_t data_start = sizeof(uint64_t) + text.size();
  std::vector<CheckpointTensor> tensors;
  for (const JsonMember& member : header.root_object().members()) {
    if (member.key == "__metadata__") {
      check_metadata(header, member.value);
    } else {
      tensors.push_back(read_entry(header, member, file, data_start));
    }
  }
  std::sort(tensors.begin(), tensors.end(), [](const CheckpointTensor& a, const CheckpointTensor& b) {
    return std::tie(a.data, a.bytes, a.name) < std::tie(b.data, b.bytes, b.name);
  });
  check_coverage(*file, tensors, data_start);
  return tensors;
}

}  // namespace deberta
