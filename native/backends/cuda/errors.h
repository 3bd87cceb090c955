// CUDA's error codes as deberta::Error.
#pragma once

#include <cuda_runtime.h>

namespace deberta::cuda {

/// DEVICE (or OUT_OF_MEMORY): "<what>: <CUDA's name of the error>: <its text>".
[[noreturn]] void throw_device_error(const char* what, cudaError_t error);

inline void check(const char* what, cudaError_t error) {
  if (error != cudaSuccess) throw_device_error(what, error);
}

}  // namespace deberta::cuda
