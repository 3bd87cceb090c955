// A few op cases of every kernel, small enough for compute-sanitizer: check.sh picks them by name.
#include "backends/cuda/backend.h"
#include "devices.h"
#include "doctest/doctest.h"
#include "op_cases.h"

namespace deberta::test {

TEST_CASE("cuda sanitizer cases") {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    for (const CudaDevice& device : cuda_devices(dtype)) {
      for (const char* part :
           {"attention, length", "attention, mixed", "attention, decoder", "linear", "conv1d", "layer_norm"}) {
        SuiteOptions options;
        options.context.compute_dtype = dtype;
        options.context.device_index = device.index;
        options.storage = dtype;
        options.tolerance.unit_roundoff = dtype == DType::kFloat32 ? 0x1p-24 : 0x1p-8;
        options.name_contains = part;
        options.max_work = 3e6;
        run_op_suite(cuda::make_backend(device.name.c_str()), options);
      }
    }
  }
}

}  // namespace deberta::test
