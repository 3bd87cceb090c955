// What the shared library `deberta_cuda` exports: two C functions, found by dlsym. The library carries its own static
// CUDA runtime and loads on machines without a driver; the addon never links against it.
//
// Plain C data crosses the boundary, and one exception rule: code inside the library never lets a C++ exception out by
// itself. The host passes `raise`, which throws its own deberta::Error, so that throw and catch belong to one runtime.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/ops.h"

#define DEBERTA_CUDA_LIBRARY_VERSION 2
#define DEBERTA_CUDA_BACKEND_SYMBOL "deberta_cuda_backend"
#define DEBERTA_CUDA_PROBE_SYMBOL "deberta_cuda_probe"

extern "C" {

/// One device as the driver reports it.
struct deberta_cuda_device {
  char name[128];         // "NVIDIA H200"
  char architecture[16];  // "sm_90"
  int32_t usable;         // 0: `reason` says why not
  uint64_t total_memory;  // bytes
  char reason[256];       // empty when usable
};

struct deberta_cuda_probe_result {
  int32_t library_version;  // DEBERTA_CUDA_LIBRARY_VERSION of the library
  int32_t driver_version;   // 13000 = CUDA 13.0; 0: no driver
  int32_t runtime_version;
  int32_t device_count;  // devices the driver knows, usable or not
  char reason[256];      // why there are none, empty otherwise
};

/// Throws deberta::Error(static_cast<ErrorCode>(error_code), message); never returns.
typedef void (*deberta_cuda_raise)(int32_t error_code, const char* message);

/// Fills `result` and up to `capacity` rows of `devices`; never throws, never aborts. Returns the rows written.
typedef int32_t (*deberta_cuda_probe_function)(struct deberta_cuda_probe_result* result,
                                               struct deberta_cuda_device* devices, int32_t capacity);

/// The op table for device `device_index`, valid until the process ends; create_context takes the same index in
/// ContextOptions. Throws through `raise` (BACKEND_UNAVAILABLE) for a device that is absent or not usable.
typedef const deberta::Backend* (*deberta_cuda_backend_function)(int32_t device_index, deberta_cuda_raise raise);

}  // extern "C"
