// Descriptions for the copy engine, made by the driver. The driver's function is looked up at run time: the library
// must load where there is no driver.
#include <cuda.h>
#include <cuda_runtime.h>

#include <cstring>

#include "backends/cuda/device.cuh"

namespace deberta::cuda {

namespace {

using EncodeTiled = decltype(&cuTensorMapEncodeTiled);

EncodeTiled find_encode() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found;
  const cudaError_t error =
      cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found);
  if (error == cudaSuccess && found == cudaDriverEntryPointSuccess) return reinterpret_cast<EncodeTiled>(function);
  cudaGetLastError();
  return nullptr;
}

}  // namespace

bool make_tensor_map(TensorMap& map, const void* base, int64_t rows, int64_t cols, int64_t stride, int box_rows,
                     int box_cols) {
  static const EncodeTiled encode = find_encode();
  if (!encode || rows < 1 || cols < 1 || stride % 8 != 0) return false;
  const cuuint64_t sizes[2] = {static_cast<cuuint64_t>(cols), static_cast<cuuint64_t>(rows)};
  const cuuint64_t row_bytes[1] = {static_cast<cuuint64_t>(stride) * 2};
  const cuuint32_t box[2] = {static_cast<cuuint32_t>(box_cols), static_cast<cuuint32_t>(box_rows)};
  const cuuint32_t steps[2] = {1, 1};
  const auto swizzle = box_cols == 64 ? CU_TENSOR_MAP_SWIZZLE_128B : CU_TENSOR_MAP_SWIZZLE_64B;
  CUtensorMap encoded;
  // Bits are copied as they are: uint16 serves both 16-bit float types.
  const CUresult result = encode(&encoded, CU_TENSOR_MAP_DATA_TYPE_UINT16, 2, const_cast<void*>(base), sizes, row_bytes,
                                 box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, swizzle, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                                 CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  static_assert(sizeof encoded == sizeof map);
  std::memcpy(&map, &encoded, sizeof map);
  return result == CUDA_SUCCESS;
}

}  // namespace deberta::cuda
