// Which devices the CUDA tests run on and how much of them: said by each executable, the emulated one and the real one.
#pragma once

#include <string>
#include <vector>

#include "ops/ops.h"

namespace deberta::test {

struct CudaDevice {
  int index;
  std::string name;  // "sm_90": what its kernels are built for
  bool float32;      // whether to test float32 here: its kernels are the same on every device
};

/// At least one.
const std::vector<CudaDevice>& cuda_devices();

/// Op cases of more multiply-adds than this are left out.
double cuda_max_work(DType dtype);

}  // namespace deberta::test
