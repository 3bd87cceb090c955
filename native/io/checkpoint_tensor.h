// A tensor of a checkpoint file, whatever the format: name, dtype, shape, and bytes that stay alive as long as it does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace deberta {

/// What files store; the activation dtypes of ops/ are fewer.
enum class FileDType : uint8_t {
  kFloat64,
  kFloat32,
  kFloat16,
  kBFloat16,
  kInt64,
  kInt32,
  kInt16,
  kInt8,
  kUInt8,
  kBool
};

/// Bytes of one element.
size_t file_dtype_size(FileDType dtype);

/// The name safetensors uses: "F32", "BF16", "I64", ...
const char* file_dtype_name(FileDType dtype);

/// The dtype of a safetensors name, or nothing.
std::optional<FileDType> file_dtype_from_name(std::string_view name);

struct CheckpointTensor {
  std::string name;
  FileDType dtype = FileDType::kFloat32;
  std::vector<int64_t> shape;         // empty for a scalar; every dimension >= 0
  const void* data = nullptr;         // row-major, contiguous, little endian; possibly unaligned
  size_t bytes = 0;                   // product of shape * element size
  std::string file;                   // path, for errors
  std::shared_ptr<const void> owner;  // keeps `data` alive: the file's mapping, or a buffer
};

/// "[2, 3]"
std::string shape_string(const std::vector<int64_t>& shape);

/// Bytes of a row-major tensor, or nothing when a dimension is negative or the product does not fit.
std::optional<uint64_t> tensor_bytes(const std::vector<int64_t>& shape, FileDType dtype);

/// The tensor's elements as float32. Throws WEIGHT_SHAPE for integer and bool tensors.
std::vector<float> to_float32(const CheckpointTensor& tensor);

}  // namespace deberta
