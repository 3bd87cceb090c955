// The table of dtypes, sizes and conversion.
#include "io/checkpoint_tensor.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/half.h"
#include "io/checked_math.h"
#include "io/utf8.h"

namespace deberta {

static_assert(std::endian::native == std::endian::little, "checkpoint files are little endian and read in place");

namespace {

struct FileDTypeRow {
  FileDType dtype;
  const char* name;
  size_t size;
};

constexpr FileDTypeRow kDTypes[] = {
    {FileDType::kFloat64, "F64", 8},   {FileDType::kFloat32, "F32", 4}, {FileDType::kFloat16, "F16", 2},
    {FileDType::kBFloat16, "BF16", 2}, {FileDType::kInt64, "I64", 8},   {FileDType::kInt32, "I32", 4},
    {FileDType::kInt16, "I16", 2},     {FileDType::kInt8, "I8", 1},     {FileDType::kUInt8, "U8", 1},
    {FileDType::kBool, "BOOL", 1},
};

const FileDTypeRow& row(FileDType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

template <class Element, class Convert>
void convert_elements(const CheckpointTensor& tensor, std::vector<float>& out, Convert convert) {
  const char* bytes = static_cast<const char*>(tensor.data);
  for (size_t i = 0; i < out.size(); ++i) {
    Element element;
    std::memcpy(&element, bytes + i * sizeof(Element), sizeof(Element));
    out[i] = convert(element);
  }
}

}  // namespace

size_t file_dtype_size(FileDType dtype) { return row(dtype).size; }

const char* file_dtype_name(FileDType dtype) { return row(dtype).name; }

std::optional<FileDType> file_dtype_from_name(std::string_view name) {
  for (const FileDTypeRow& candidate : kDTypes) {
    if (name == candidate.name) return candidate.dtype;
  }
  return std::nullopt;
}

std::string shape_string(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (size_t i = 0; i < shape.size(); ++i) out += (i ? ", " : "") + std::to_string(shape[i]);
  return out + "]";
}

std::optional<uint64_t> tensor_bytes(const std::vector<int64_t>& shape, FileDType dtype) {
  // Zero dimensions count as one at first: the shape must be sane in whatever order a reader multiplies it.
  uint64_t bytes = file_dtype_size(dtype);
  bool empty = false;
  for (const int64_t dimension : shape) {
    empty |= dimension == 0;
    if (dimension < 0 || !checked_multiply(bytes, dimension == 0 ? 1 : static_cast<uint64_t>(dimension), bytes)) {
      return std::nullopt;
    }
  }
  if (bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
  return empty ? 0 : bytes;
}

std::vector<float> to_float32(const CheckpointTensor& tensor) {
  std::vector<float> out(tensor.bytes / file_dtype_size(tensor.dtype));
  switch (tensor.dtype) {
    case FileDType::kFloat32:
      if (!out.empty()) std::memcpy(out.data(), tensor.data, tensor.bytes);
      return out;
    case FileDType::kFloat64:
      convert_elements<double>(tensor, out, [](double value) { return static_cast<float>(value); });
      return out;
    case FileDType::kFloat16:
      convert_elements<uint16_t>(tensor, out, float_from_half);
      return out;
    case FileDType::kBFloat16:
      convert_elements<uint16_t>(tensor, out, float_from_bfloat16);
      return out;
    default:
      throw Error(ErrorCode::kWEIGHT_SHAPE, tensor.file + ": tensor \"" + printable(tensor.name) +
                                                "\": expected a floating point dtype, found " +
                                                file_dtype_name(tensor.dtype));
  }
}

}  // namespace deberta
