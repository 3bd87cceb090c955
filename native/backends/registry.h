// What was built and what this machine can run. The only place that knows every backend.
#pragma once

#include <string>
#include <vector>

#include "ops/ops.h"

namespace deberta {

/// One row of listDevices().
struct DeviceDescription {
  std::string name;        // "reference", "cpu", "cuda:0"
  std::string detail;      // "avx512", "NVIDIA H200 (sm_90)"
  bool available = false;  // false: `reason` says why not
  std::string reason;
  std::vector<std::string> dtypes;  // what it can compute in
};

/// Every device this build knows, available or not.
std::vector<DeviceDescription> list_devices();

/// The backend called `device`: "auto", "cpu", "reference", "cuda", "cuda:N". "auto" alone may choose; DEBERTA_BACKEND
/// replaces it. DEBERTA_CPU_ISA = scalar | avx2 | avx512 | ... forces the instruction set of "cpu".
/// Throws BACKEND_UNAVAILABLE for what this machine cannot run, INVALID_ARGUMENT for an unknown name. INTERNAL
/// where an entry of the table is missing.
const Backend& find_backend(const std::string& device);

/// N of "cuda:N", once DEBERTA_BACKEND has replaced "auto", and 0 for every other device: ContextOptions.device_index.
int find_device_index(const std::string& device);

}  // namespace deberta
