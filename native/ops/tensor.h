// Views of weights and activations as they cross the seam between model/ and a backend. Nothing here owns memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace deberta {

enum class DType : uint8_t { kFloat32, kFloat16, kBFloat16, kInt8 };

constexpr size_t dtype_size(DType dtype) { return dtype == DType::kFloat32 ? 4 : dtype == DType::kInt8 ? 1 : 2; }

/// What users call it: "float32", "bfloat16", ...
constexpr const char* dtype_name(DType dtype) {
  constexpr const char* kNames[] = {"float32", "float16", "bfloat16", "int8"};  // [DType]
  return kNames[static_cast<uint8_t>(dtype)];
}

/// A weight as the checkpoint stores it: host memory (usually the file's mapping), row-major, contiguous.
struct WeightView {
  const void* data = nullptr;  // [rows, cols], possibly unaligned
  DType dtype = DType::kFloat32;
  int64_t rows = 0;
  int64_t cols = 0;
};

/// Activations in the memory of the device, in the activation dtype of the context (float32 on the CPU).
struct Matrix {
  void* data = nullptr;  // [rows, cols], row r starts at r * stride elements
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;  // in elements, >= cols
};

/// The same, read only. `data == nullptr` stands for "absent" where an operand is optional.
struct ConstMatrix {
  const void* data = nullptr;  // [rows, cols]
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t stride = 0;

  ConstMatrix() = default;
  ConstMatrix(const void* data, int64_t rows, int64_t cols, int64_t stride)
      : data(data), rows(rows), cols(cols), stride(stride) {}
  ConstMatrix(const Matrix& m) : data(m.data), rows(m.rows), cols(m.cols), stride(m.stride) {}  // NOLINT: a view widens
};

}  // namespace deberta
