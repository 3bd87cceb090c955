// Which devices the CUDA tests run on and how much of them: said by each executable, the emulated one and the real one.
#pragma once

#include <string>
#include <vector>

#include "ops/ops.h"

namespace deberta::test {

struct CudaDevice {
  int index;
  std::string name;  // "sm_90"
};

/// Those to test in `dtype`; at least one.
std::vector<CudaDevice> cuda_devices(DType dtype);

/// Cases of `op` ("attention", ...) with more multiply-adds than this are left out.
double cuda_max_work(DType dtype, const std::string& op);

}  // namespace deberta::test
