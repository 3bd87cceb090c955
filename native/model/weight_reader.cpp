#include "model/weight_reader.h"

#include "base/error.h"
#include "io/utf8.h"

namespace deberta {

namespace {

std::string join(const std::vector<std::string>& names, const char* separator) {
  std::string text;
  for (const std::string& name : names) text.append(text.empty() ? "" : separator).append(printable(name, 200));
  return text;
}

bool is_float(FileDType dtype) {
  return dtype == FileDType::kFloat64 || dtype == FileDType::kFloat32 || dtype == FileDType::kFloat16 ||
         dtype == FileDType::kBFloat16;
}

DType activation_dtype_of(FileDType dtype) {
  return dtype == FileDType::kFloat16    ? DType::kFloat16
         : dtype == FileDType::kBFloat16 ? DType::kBFloat16
                                         : DType::kFloat32;
}

}  // namespace

const CheckpointTensor* WeightReader::find(const Names& names) const {
  for (const std::string& name : names) {
    if (const CheckpointTensor* tensor = checkpoint_.find(name)) return tensor;
  }
  return nullptr;
}

const CheckpointTensor& WeightReader::at(const Names& names) const {
  if (const CheckpointTensor* tensor = find(names)) return *tensor;
  throw Error(ErrorCode::kWEIGHT_MISSING, checkpoint_.file() + ": none of its " +
                                              std::to_string(checkpoint_.tensors().size()) + " tensors is called " +
                                              join(names, " or "));
}

int64_t WeightReader::rows(const Names& names) const {
  const CheckpointTensor& tensor = at(names);
  if (!tensor.shape.empty()) return tensor.shape.front();
  throw Error(ErrorCode::kWEIGHT_SHAPE, tensor.file + ": " + tensor.name + ": expected a matrix, found a scalar");
}

const CheckpointTensor& WeightReader::take(const Names& names, const std::vector<int64_t>& shape) {
  const CheckpointTensor& tensor = at(names);
  if (tensor.shape != shape) {
    throw Error(ErrorCode::kWEIGHT_SHAPE, tensor.file + ": " + tensor.name + ": expected shape " + shape_string(shape) +
                                              ", found " + shape_string(tensor.shape));
  }
  if (!is_float(tensor.dtype)) {
    throw Error(
        ErrorCode::kWEIGHT_SHAPE,
        tensor.file + ": " + tensor.name + ": expected F32, F16, BF16 or F64, found " + file_dtype_name(tensor.dtype));
  }
  if (read_.insert(&tensor).second) {
    elements_read_ += static_cast<int64_t>(tensor.bytes / file_dtype_size(tensor.dtype));
    bytes_read_ += static_cast<int64_t>(tensor.bytes);
  }
  return tensor;
}

HostMatrix WeightReader::matrix(const Names& names, const std::vector<int64_t>& shape) {
  const CheckpointTensor& tensor = take(names, shape);
  int64_t cols = 1;
  for (size_t i = 1; i < shape.size(); ++i) cols *= shape[i];
  HostMatrix matrix{{tensor.data, activation_dtype_of(tensor.dtype), shape.front(), cols}, tensor.owner};
  if (tensor.dtype == FileDType::kFloat64) {
    const auto converted = std::make_shared<std::vector<float>>(to_float32(tensor));
    matrix.view.data = converted->data();
    matrix.owner = converted;
  }
  return matrix;
}

std::vector<float> WeightReader::values(const Names& names, const std::vector<int64_t>& shape) {
  return to_float32(take(names, shape));
}

std::vector<std::string> WeightReader::unread() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : checkpoint_.tensors()) {
    if (!read_.contains(&tensor)) names.push_back(name);
  }
  return names;
}

}  // namespace deberta
