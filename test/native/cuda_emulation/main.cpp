// The CUDA tests on emulated devices: 0 as an sm_86, 1 as an sm_90.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "devices.h"
#include "doctest/doctest.h"

namespace deberta::test {

// bfloat16 takes both families of kernels; float16 shares them, float32 has its own.
std::vector<CudaDevice> cuda_devices(DType dtype) {
  const CudaDevice ampere{0, "emulated sm_86"}, hopper{1, "emulated sm_90"};
  if (dtype == DType::kBFloat16) return {ampere, hopper};
  return {dtype == DType::kFloat32 ? ampere : hopper};
}

// A multiply-add costs some nanoseconds here. Tiles beyond the band need sequences of hundreds of tokens; other ops
// show all they have on small matrices.
double cuda_max_work(DType dtype, const std::string& op) {
  return dtype == DType::kBFloat16 && op == "attention" ? 5e7 : 2e6;
}

}  // namespace deberta::test
