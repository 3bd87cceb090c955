// The text of a CUDA error.
#include "backends/cuda/errors.h"

#include <string>

#include "base/error.h"

namespace deberta::cuda {

void throw_device_error(const char* what, cudaError_t error) {
  const ErrorCode code = error == cudaErrorMemoryAllocation ? ErrorCode::kOUT_OF_MEMORY : ErrorCode::kDEVICE;
  throw Error(code, std::string(what) + ": " + cudaGetErrorName(error) + ": " + cudaGetErrorString(error));
}

}  // namespace deberta::cuda
