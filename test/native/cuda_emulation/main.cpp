// The CUDA tests on emulated devices: 0 as an sm_86, 1 as an sm_90.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "devices.h"
#include "doctest/doctest.h"

namespace deberta::test {

const std::vector<CudaDevice>& cuda_devices() {
  static const std::vector<CudaDevice> devices = {{0, "emulated sm_86", true}, {1, "emulated sm_90", false}};
  return devices;
}

// A multiply-add costs some nanoseconds here. bfloat16 runs nearly everything; the other dtypes share its kernels or
// have simple ones.
double cuda_max_work(DType dtype) { return dtype == DType::kBFloat16 ? 1e8 : 2e6; }

}  // namespace deberta::test
