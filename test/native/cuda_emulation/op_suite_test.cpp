// The op suite on the CUDA backend's kernels, emulated: device 0 as an sm_86, device 1 as an sm_90.
#include "backends/cuda/backend.h"
#include "doctest/doctest.h"
#include "op_cases.h"

namespace deberta::test {

namespace {

SuiteOptions options_for(int device, DType dtype, double unit_roundoff) {
  SuiteOptions options;
  options.context.compute_dtype = dtype;
  options.context.device_index = device;
  options.storage = dtype;
  options.tolerance.unit_roundoff = unit_roundoff;
  return options;
}

}  // namespace

TEST_CASE("op suite: cuda, float32") {
  run_op_suite(cuda::make_backend("emulated"), options_for(0, DType::kFloat32, 0x1p-24));
}

TEST_CASE("op suite: cuda, bfloat16, mma.sync") {
  run_op_suite(cuda::make_backend("emulated"), options_for(0, DType::kBFloat16, 0x1p-8));
}

TEST_CASE("op suite: cuda, float16, mma.sync") {
  run_op_suite(cuda::make_backend("emulated"), options_for(0, DType::kFloat16, 0x1p-11));
}

TEST_CASE("op suite: cuda, bfloat16, wgmma") {
  run_op_suite(cuda::make_backend("emulated"), options_for(1, DType::kBFloat16, 0x1p-8));
}

TEST_CASE("op suite: cuda, float16, wgmma") {
  run_op_suite(cuda::make_backend("emulated"), options_for(1, DType::kFloat16, 0x1p-11));
}

}  // namespace deberta::test
