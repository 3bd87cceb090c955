// Shared memory beyond 48 KB has to be asked for once per kernel.
#include "backends/cuda/launch.h"

namespace deberta::cuda {

bool allow_shared_bytes(Context& context, const char* op, const void* function, size_t bytes) {
  constexpr size_t kDefaultLimit = 48 << 10;
  if (bytes <= kDefaultLimit) return true;
  size_t& limit = context.shared_limits[function];
  if (bytes <= limit) return true;
  const cudaError_t error =
      cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  if (error == cudaSuccess) limit = bytes;
  context.fail(LaunchFailure{error, op});
  return error == cudaSuccess;
}

}  // namespace deberta::cuda
