// Finds the state dict, checks every tensor against its storage, and makes it contiguous where it is not.
#include "io/torch_checkpoint.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "io/checked_math.h"
#include "io/pickle_file.h"
#include "io/utf8.h"

namespace deberta {
namespace {

// Copies of strided views may take the file's size and this: enough for small expanded buffers, bounded for hostile
// ones.
constexpr uint64_t kCopyAllowance = 16u << 20;  // bytes

constexpr const char* kNestedKeys[] = {"state_dict", "model_state_dict", "model", "module"};

bool holds_tensors(const PickleDict& dict) {
  return std::any_of(dict.begin(), dict.end(), [](const auto& member) { return member.second.as_tensor() != nullptr; });
}

/// Copies a strided view into row-major order. `position` counts through the indices like an odometer.
void copy_strided(const PickleTensor& view, const uint8_t* source, size_t element_size, uint8_t* out, size_t elements) {
  std::vector<int64_t> position(view.shape.size(), 0);
  std::vector<int64_t> stride = view.stride;
  for (size_t axis = 0; axis < stride.size(); ++axis) {
    if (view.shape[axis] == 1) stride[axis] = 0;  // means nothing, may be anything, and must not overflow `at`
  }
  int64_t at = 0;  // in elements, from the view's first
  for (size_t i = 0; i < elements; ++i) {
    std::memcpy(out + i * element_size, source + static_cast<size_t>(at) * element_size, element_size);
    for (size_t axis = position.size(); axis-- > 0;) {
      at += stride[axis];
      if (++position[axis] < view.shape[axis]) break;
      at -= stride[axis] * view.shape[axis];
      position[axis] = 0;
    }
  }
}

/// Whether the elements follow each other in row-major order; the stride of an axis of length 1 means nothing.
bool is_contiguous(const PickleTensor& view) {
  int64_t expected = 1;
  for (size_t axis = view.shape.size(); axis-- > 0;) {
    if (view.shape[axis] != 1 && view.stride[axis] != expected) return false;
    expected *= view.shape[axis];
  }
  return true;
}

class StateDictReader {
 public:
  explicit StateDictReader(const std::shared_ptr<const MappedFile>& file)
      : pickle_(read_pickle_file(file, ErrorCode::kMODEL_FILE)), copy_budget_(file->size() + kCopyAllowance) {}

  std::vector<CheckpointTensor> tensors() {
    std::vector<CheckpointTensor> out;
    std::set<std::string_view> names;
    for (const auto& [key, value] : state_dict()) {
      const PickleTensor* tensor = value.as_tensor();
      if (tensor == nullptr) continue;  // a version number or the like: no weight
      const auto name = key.as_string();
      if (!name) fail("expected the state dict's keys to be strings, found " + key.describe());
      if (!names.insert(*name).second) fail("tensor \"" + printable(*name) + "\" is there twice");
      name_ = printable(*name);
      out.push_back(locate(*tensor));
      out.back().name = *name;
    }
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(ErrorCode::kMODEL_FILE, pickle_.file->path() + ": " + message);
  }
  [[noreturn]] void fail_tensor(const std::string& message) const { fail("tensor \"" + name_ + "\": " + message); }

  const PickleDict& state_dict() const {
    const PickleDict* root = pickle_.root.as_dict();
    if (root == nullptr) fail("expected a dict of tensors, found " + pickle_.root.describe());
    for (const char* key : kNestedKeys) {
      const PickleValue* nested = pickle_.root.find(key);
      if (nested != nullptr && nested->as_dict() && holds_tensors(*nested->as_dict())) return *nested->as_dict();
    }
    if (!holds_tensors(*root)) fail("expected a dict of tensors, found one that holds none");
    return *root;
  }

  CheckpointTensor locate(const PickleTensor& view) {
    const PickleStorage& storage = *view.storage;
    const size_t element_size = file_dtype_size(storage.dtype);
    const auto bytes = tensor_bytes(view.shape, storage.dtype);
    if (!bytes) fail_tensor("a shape of " + shape_string(view.shape) + " is too large");
    const uint8_t* storage_data = find_storage(storage);
    check_bounds(view, *bytes == 0);

    CheckpointTensor tensor;
    tensor.dtype = storage.dtype;
    tensor.shape = view.shape;
    tensor.bytes = static_cast<size_t>(*bytes);
    tensor.file = pickle_.file->path();
    const uint8_t* first = storage_data + static_cast<size_t>(view.offset) * element_size;
    if (tensor.bytes == 0 || is_contiguous(view)) {
      tensor.data = first;
      tensor.owner = pickle_.file;
      return tensor;
    }
    if (tensor.bytes > copy_budget_) {
      fail_tensor("shape " + shape_string(view.shape) + " expands its storage beyond what the file's size justifies");
    }
    copy_budget_ -= tensor.bytes;
    const auto copy = std::make_shared<std::vector<uint8_t>>(tensor.bytes);
    copy_strided(view, first, element_size, copy->data(), tensor.bytes / element_size);
    tensor.data = copy->data();
    tensor.owner = copy;
    return tensor;
  }

  const uint8_t* find_storage(const PickleStorage& storage) const {
    const StorageBytes* found = pickle_.find_storage(storage.key);
    if (found == nullptr) fail_tensor("the file has no storage \"" + printable(storage.key) + "\"");
    uint64_t expected = 0;
    if (!checked_multiply(static_cast<uint64_t>(storage.elements), file_dtype_size(storage.dtype), expected) ||
        expected != found->bytes) {
      fail_tensor("storage \"" + printable(storage.key) + "\": expected " + std::to_string(storage.elements) +
                  " elements of " + file_dtype_name(storage.dtype) + ", found " + std::to_string(found->bytes) +
                  " bytes");
    }
    return found->data;
  }

  /// offset + sum((shape - 1) * stride) must be an element of the storage; of an empty tensor only the offset counts.
  void check_bounds(const PickleTensor& view, bool empty) const {
    uint64_t last = static_cast<uint64_t>(view.offset);
    bool fits = true;
    for (size_t axis = 0; axis < view.shape.size() && !empty; ++axis) {
      uint64_t reach = 0;
      fits = fits &&
             checked_multiply(static_cast<uint64_t>(view.shape[axis] - 1), static_cast<uint64_t>(view.stride[axis]),
                              reach) &&
             checked_add(last, reach, last);
    }
    const auto elements = static_cast<uint64_t>(view.storage->elements);
    if (!fits || (empty ? last > elements : last >= elements)) {
      fail_tensor("offset " + std::to_string(view.offset) + ", shape " + shape_string(view.shape) + ", stride " +
                  shape_string(view.stride) + " reach outside the storage of " + std::to_string(elements) +
                  " elements");
    }
  }

  PickleFile pickle_;
  uint64_t copy_budget_;  // bytes; a few bytes of pickle must not ask for terabytes
  std::string name_;      // of the tensor at hand, for errors
};

}  // namespace

std::vector<CheckpointTensor> read_torch_checkpoint(const std::shared_ptr<const MappedFile>& file) {
  return StateDictReader(file).tensors();
}

}  // namespace deberta
