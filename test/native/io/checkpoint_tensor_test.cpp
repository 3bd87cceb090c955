#include "io/checkpoint_tensor.h"

#include <cmath>

#include "error_check.h"
#include "file_writers.h"

using namespace deberta;
using namespace deberta::test;

namespace {

CheckpointTensor tensor_of(FileDType dtype, const std::string& bytes) {
  CheckpointTensor tensor;
  tensor.name = "w";
  tensor.file = "some.bin";
  tensor.dtype = dtype;
  tensor.data = bytes.data();
  tensor.bytes = bytes.size();
  return tensor;
}

}  // namespace

TEST_CASE("dtypes have the names and sizes of safetensors") {
  for (const auto& [name, size] : {std::pair{"F64", 8},
                                   {"F32", 4},
                                   {"F16", 2},
                                   {"BF16", 2},
                                   {"I64", 8},
                                   {"I32", 4},
                                   {"I16", 2},
                                   {"I8", 1},
                                   {"U8", 1},
                                   {"BOOL", 1}}) {
    const auto dtype = file_dtype_from_name(name);
    REQUIRE(dtype.has_value());
    CHECK(std::string(file_dtype_name(*dtype)) == name);
    CHECK(file_dtype_size(*dtype) == static_cast<size_t>(size));
  }
  CHECK_FALSE(file_dtype_from_name("F8_E4M3").has_value());
  CHECK_FALSE(file_dtype_from_name("f32").has_value());
}

TEST_CASE("sizes are computed without overflow, in whatever order the dimensions come") {
  CHECK(tensor_bytes({}, FileDType::kFloat32) == 4u);
  CHECK(tensor_bytes({2, 3}, FileDType::kFloat64) == 48u);
  CHECK(tensor_bytes({5, 0, 3}, FileDType::kFloat32) == 0u);
  CHECK(tensor_bytes({int64_t{1} << 61}, FileDType::kInt8) == uint64_t{1} << 61);
  CHECK_FALSE(tensor_bytes({-1}, FileDType::kFloat32));
  CHECK_FALSE(tensor_bytes({int64_t{1} << 61}, FileDType::kFloat32));
  CHECK_FALSE(tensor_bytes({int64_t{1} << 32, int64_t{1} << 32}, FileDType::kInt8));
  CHECK_FALSE(tensor_bytes({0, int64_t{1} << 62}, FileDType::kFloat32));
  CHECK_FALSE(tensor_bytes({int64_t{1} << 62, 0}, FileDType::kFloat32));
}

TEST_CASE("floating point tensors convert to float32, from unaligned memory too") {
  const std::string half = "x" + raw(uint16_t{0x3C00}) + raw(uint16_t{0xC000});
  CHECK(to_float32(tensor_of(FileDType::kFloat16, half.substr(1))) == std::vector<float>{1, -2});
  CheckpointTensor unaligned = tensor_of(FileDType::kFloat16, half);
  unaligned.data = half.data() + 1;
  unaligned.bytes = 4;
  CHECK(to_float32(unaligned) == std::vector<float>{1, -2});
  CHECK(to_float32(tensor_of(FileDType::kBFloat16, raw(uint16_t{0x3FC0}))) == std::vector<float>{1.5f});
  CHECK(to_float32(tensor_of(FileDType::kFloat32, float_ramp(3))) == std::vector<float>{0, 1, 2});
  CHECK(to_float32(tensor_of(FileDType::kFloat64, raw(0.1))) == std::vector<float>{0.1f});
  CHECK(to_float32(tensor_of(FileDType::kFloat32, "")).empty());
  const Error error = error_of([] { to_float32(tensor_of(FileDType::kInt64, raw(int64_t{1}))); });
  CHECK(error.code() == ErrorCode::kWEIGHT_SHAPE);
  CHECK_MENTIONS(error, "tensor \"w\": expected a floating point dtype, found I64");
}

TEST_CASE("shapes print as lists") {
  CHECK(shape_string({}) == "[]");
  CHECK(shape_string({2, 3}) == "[2, 3]");
}
