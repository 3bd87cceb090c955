// The two functions that the shared library exports: see cuda_library.h.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <unordered_map>

#include "backends/cuda/backend.h"
#include "backends/cuda/context.h"
#include "backends/cuda/cuda_library.h"
#include "backends/cuda/errors.h"
#include "backends/cuda/packed.h"
#include "base/error.h"

namespace deberta::cuda {

namespace {

deberta_cuda_raise raise_in_host = nullptr;

/// `function` with its exceptions turned into calls of the host's raise, made outside of any catch clause: the
/// exception that goes on belongs to the host's C++ runtime alone.
template <auto function>
struct Guarded;

template <class R, class... Args, R (*function)(Args...)>
struct Guarded<function> {
  static R call(Args... args) {
    auto code = ErrorCode::kINTERNAL;
    char message[1024];
    try {
      return function(args...);
    } catch (const Error& error) {
      code = error.code();
      std::snprintf(message, sizeof message, "%s", error.what());
    } catch (const std::bad_alloc&) {
      code = ErrorCode::kOUT_OF_MEMORY;
      std::snprintf(message, sizeof message, "host memory of the CUDA backend");
    } catch (const std::exception& error) {
      std::snprintf(message, sizeof message, "CUDA backend: %s", error.what());
    }
    raise_in_host(static_cast<int32_t>(code), message);
    std::terminate();  // raise never returns
  }
};

template <size_t size>
void copy_text(char (&to)[size], const std::string& text) {
  std::snprintf(to, size, "%s", text.c_str());
}

std::string architecture(const cudaDeviceProp& properties) {
  return "sm_" + std::to_string(properties.major) + std::to_string(properties.minor);
}

/// Empty where the library's kernels run on such a device; there is PTX for what is newer than every build target.
std::string unusable_reason(const cudaDeviceProp& properties) {
  if (properties.major >= 8) return {};
  return "compute capability 8.0 or later is needed, this is " + std::to_string(properties.major) + "." +
         std::to_string(properties.minor);
}

std::string describe(cudaError_t error) {
  return std::string(cudaGetErrorName(error)) + ": " + cudaGetErrorString(error);
}

/// The number of devices, or 0 and why.
int count_devices(std::string& reason) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    reason = describe(error);
    return 0;
  }
  if (count == 0) reason = "the driver reports no device";
  return count;
}

/// The table with every entry that may throw wrapped; the ops are noexcept already.
Backend guarded_backend(const char* detail) {
  Backend backend = make_backend(detail);
#define DEBERTA_GUARD(entry) backend.entry = Guarded<&cuda::entry>::call
  DEBERTA_GUARD(create_context);
  DEBERTA_GUARD(destroy_context);
  DEBERTA_GUARD(reserve);
  DEBERTA_GUARD(allocate);
  DEBERTA_GUARD(deallocate);
  DEBERTA_GUARD(upload);
  DEBERTA_GUARD(upload_rows);
  DEBERTA_GUARD(download_rows);
  DEBERTA_GUARD(download);
  DEBERTA_GUARD(synchronize);
  DEBERTA_GUARD(pack_linear);
  DEBERTA_GUARD(pack_conv);
  DEBERTA_GUARD(pack_table);
  DEBERTA_GUARD(pack_positions);
  DEBERTA_GUARD(free_linear);
  DEBERTA_GUARD(free_conv);
  DEBERTA_GUARD(free_table);
  DEBERTA_GUARD(free_positions);
#undef DEBERTA_GUARD
  return backend;
}

struct NamedBackend {
  std::string detail;
  Backend backend;
};

const Backend* find_backend(int32_t device_index) {
  std::string reason;
  const int count = count_devices(reason);
  const std::string name = "cuda:" + std::to_string(device_index);
  if (count == 0) throw Error(ErrorCode::kBACKEND_UNAVAILABLE, name + ": " + reason);
  if (device_index < 0 || device_index >= count) {
    throw Error(ErrorCode::kBACKEND_UNAVAILABLE, name + ": there are " + std::to_string(count) + " devices");
  }
  cudaDeviceProp properties;
  check(name.c_str(), cudaGetDeviceProperties(&properties, device_index));
  reason = unusable_reason(properties);
  if (!reason.empty()) throw Error(ErrorCode::kBACKEND_UNAVAILABLE, name + ": " + reason);

  static std::mutex mutex;
  static auto& backends =  // never destroyed: threads may outlive main
      *new std::unordered_map<int32_t, std::unique_ptr<NamedBackend>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<NamedBackend>& known = backends[device_index];
  if (!known) {
    known = std::make_unique<NamedBackend>();
    known->detail = architecture(properties);
    known->backend = guarded_backend(known->detail.c_str());
  }
  return &known->backend;
}

void describe_device(int index, deberta_cuda_device& device) {
  std::memset(&device, 0, sizeof device);
  cudaDeviceProp properties;
  const cudaError_t error = cudaGetDeviceProperties(&properties, index);
  if (error != cudaSuccess) {
    cudaGetLastError();
    return copy_text(device.reason, describe(error));
  }
  copy_text(device.name, properties.name);
  copy_text(device.architecture, architecture(properties));
  copy_text(device.reason, unusable_reason(properties));
  device.usable = device.reason[0] == '\0';
  device.total_memory = properties.totalGlobalMem;
}

}  // namespace

}  // namespace deberta::cuda

extern "C" {

__attribute__((visibility("default"))) int32_t deberta_cuda_probe(deberta_cuda_probe_result* result,
                                                                  deberta_cuda_device* devices, int32_t capacity) {
  using namespace deberta::cuda;
  std::memset(result, 0, sizeof *result);
  result->library_version = DEBERTA_CUDA_LIBRARY_VERSION;
  cudaDriverGetVersion(&result->driver_version);
  cudaRuntimeGetVersion(&result->runtime_version);
  std::string reason;
  result->device_count = count_devices(reason);
  copy_text(result->reason, reason);
  const int32_t rows = std::min(capacity, result->device_count);
  for (int32_t i = 0; i < rows; ++i) describe_device(i, devices[i]);
  return rows;
}

__attribute__((visibility("default"))) const deberta::Backend* deberta_cuda_backend(int32_t device_index,
                                                                                    deberta_cuda_raise raise) {
  using namespace deberta::cuda;
  raise_in_host = raise;
  return Guarded<&find_backend>::call(device_index);
}

}  // extern "C"
