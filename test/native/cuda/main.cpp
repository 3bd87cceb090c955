// deberta_cuda_check: the CUDA tests on every usable device of this machine, or on DEBERTA_CUDA_DEVICE alone. Exits
// with 77 and says why where there is none.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>

#include "devices.h"
#include "doctest/doctest.h"

namespace deberta::test {

namespace {

std::vector<CudaDevice> usable_devices() {
  std::vector<CudaDevice> devices;
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) std::printf("cuda check: %s\n", cudaGetErrorString(error));
  const char* chosen = std::getenv("DEBERTA_CUDA_DEVICE");
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, i) != cudaSuccess || properties.major < 8) continue;
    if (chosen && *chosen && std::atoi(chosen) != i) continue;
    const std::string name = "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
    std::printf("cuda check: device %d, %s (%s)\n", i, properties.name, name.c_str());
    devices.push_back({i, name});
  }
  return devices;
}

}  // namespace

std::vector<CudaDevice> cuda_devices(DType) {
  static const std::vector<CudaDevice> devices = usable_devices();
  return devices;
}

double cuda_max_work(DType, const std::string&) { return 1e30; }

}  // namespace deberta::test

int main(int argc, char** argv) {
  if (deberta::test::cuda_devices(deberta::DType::kFloat32).empty()) {
    std::printf("cuda check: SKIPPED, no usable device\n");
    return 77;
  }
  return doctest::Context(argc, argv).run();
}
