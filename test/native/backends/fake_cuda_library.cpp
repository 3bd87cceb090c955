// A CUDA library without CUDA: the interface of backends/cuda/cuda_library.h over the reference backend. FAKE_DEVICES
// devices, the first usable and the others not; FAKE_VERSION, the version it claims.
#include <cstdio>

#include "backends/cuda/cuda_library.h"
#include "backends/reference/reference_backend.h"
#include "base/error.h"

#ifndef FAKE_VERSION
#define FAKE_VERSION DEBERTA_CUDA_LIBRARY_VERSION
#endif

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED int32_t deberta_cuda_probe(deberta_cuda_probe_result* result, deberta_cuda_device* devices, int32_t capacity) {
  *result = {};
  result->library_version = FAKE_VERSION;
  result->device_count = FAKE_DEVICES;
  if (FAKE_DEVICES == 0) std::snprintf(result->reason, sizeof result->reason, "the driver says no");
  int32_t written = 0;
  for (; written < FAKE_DEVICES && written < capacity; ++written) {
    deberta_cuda_device& device = devices[written];
    device = {};
    device.usable = written == 0;
    std::snprintf(device.name, sizeof device.name, "Fake %d", written);
    std::snprintf(device.architecture, sizeof device.architecture, "sm_0");
    if (!device.usable) std::snprintf(device.reason, sizeof device.reason, "too old");
  }
  return written;
}

EXPORTED const deberta::Backend* deberta_cuda_backend(int32_t device_index, deberta_cuda_raise raise) {
  static const deberta::Backend backend = [] {
    deberta::Backend table = deberta::reference_backend();
    table.name = "cuda";
    table.detail = "fake";
    return table;
  }();
  if (device_index != 0) raise(static_cast<int32_t>(deberta::ErrorCode::kDEVICE), "no such fake device");
  return &backend;
}
