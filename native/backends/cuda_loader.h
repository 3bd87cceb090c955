// Opens the CUDA backend, a library of its own, on demand, and keeps the reason where it cannot be had.
#pragma once

#include <string>
#include <vector>

#include "backends/cuda/cuda_library.h"

namespace deberta {

struct CudaLibrary {
  deberta_cuda_backend_function backend = nullptr;  // null: no library was opened
  std::vector<deberta_cuda_device> devices;         // as probed when it was opened, usable or not
  std::string reason;                               // where there are no devices: why
};

/// Opens the library at `path` and asks it for its devices. Never throws: what goes wrong is the `reason`. The library
/// is never closed.
CudaLibrary open_cuda_library(const std::string& path);

/// The library of this process, opened at the first call: DEBERTA_CUDA_LIBRARY, or deberta_cuda.so beside this module.
const CudaLibrary& cuda_library();

/// The op table of device `index` of `library`. Throws BACKEND_UNAVAILABLE, calling the device `name`, where it is
/// absent or not usable.
const Backend& cuda_backend(const CudaLibrary& library, int index, const std::string& name);

}  // namespace deberta
