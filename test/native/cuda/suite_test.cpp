// The op suite and every fixture model on the CUDA backend: float32, bfloat16, float16, on each device under test.
#include "backends/cuda/backend.h"
#include "devices.h"
#include "doctest/doctest.h"
#include "model/golden_suite.h"
#include "model/support.h"
#include "op_cases.h"

namespace deberta::test {

namespace {

double unit_roundoff(DType dtype) {
  return dtype == DType::kFloat32 ? 0x1p-24 : dtype == DType::kBFloat16 ? 0x1p-8 : 0x1p-11;
}

/// Two layers round their activations some 16 times one after the other; float32 has the bar of the other backends.
double golden_floor(DType dtype) { return dtype == DType::kFloat32 ? kFloat32Floor : 16 * unit_roundoff(dtype); }

ContextOptions context_for(const CudaDevice& device, DType dtype) {
  ContextOptions context;
  context.compute_dtype = dtype;
  context.device_index = device.index;
  return context;
}

void check_dtype(DType dtype) {
  for (const CudaDevice& device : cuda_devices(dtype)) {
    SuiteOptions options;
    options.context = context_for(device, dtype);
    options.storage = dtype;
    options.tolerance.unit_roundoff = unit_roundoff(dtype);
    for (const char* op :
         {"attention", "linear", "add_layer_norm", "embedding", "gather_rows", "tied_logits", "conv1d"}) {
      options.name_contains = op;
      options.max_work = cuda_max_work(dtype, op);
      run_op_suite(cuda::make_backend(device.name.c_str()), options);
    }
  }
}

void check_models(DType dtype) {
  for (const CudaDevice& device : cuda_devices(dtype)) {
    const Backend backend = cuda::make_backend(device.name.c_str());
    for (const std::string& name : fixture_names()) {
      check_golden(name, backend, context_for(device, dtype), golden_floor(dtype));
    }
  }
}

}  // namespace

TEST_CASE("cuda op suite, float32") { check_dtype(DType::kFloat32); }
TEST_CASE("cuda op suite, bfloat16") { check_dtype(DType::kBFloat16); }
TEST_CASE("cuda op suite, float16") { check_dtype(DType::kFloat16); }

TEST_CASE("cuda fixture models, float32") { check_models(DType::kFloat32); }
TEST_CASE("cuda fixture models, bfloat16") { check_models(DType::kBFloat16); }
TEST_CASE("cuda fixture models, float16") { check_models(DType::kFloat16); }

}  // namespace deberta::test
