// dlopen and two symbols. DEBERTA_WITH_CUDA is 1 where this build made a CUDA library.
#include "backends/cuda_loader.h"

#include <cstdlib>
#include <filesystem>

#ifndef _WIN32
#include <dlfcn.h>
#endif

#include "backends/backend_table.h"
#include "base/error.h"

namespace deberta {

namespace {

constexpr int kMaxDevices = 64;

/// Called by the library to throw: the exception belongs to this side's runtime.
void raise(int32_t code, const char* message) { throw Error(static_cast<ErrorCode>(code), message); }

#ifdef _WIN32
void* open_library(const std::string&, std::string& reason) {
  reason = "the CUDA backend is not built for Windows";
  return nullptr;
}
void* find_symbol(void*, const char*) { return nullptr; }
std::string beside_this_module(const char* name) { return name; }
#else
void* open_library(const std::string& path, std::string& reason) {
  // Every symbol now: a driver that is missing shows here, as a reason, and not in the middle of a forward.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) reason = std::string("the CUDA library was not found or could not be opened: ") + dlerror();
  return library;
}

void* find_symbol(void* library, const char* name) { return dlsym(library, name); }

/// `name` in the folder of the addon or executable that this code is linked into.
std::string beside_this_module(const char* name) {
  Dl_info info{};
  dladdr(reinterpret_cast<void*>(&open_library), &info);
  const auto folder = std::filesystem::path(info.dli_fname ? info.dli_fname : "").parent_path();
  return ((folder.empty() ? std::filesystem::path(".") : folder) / name).string();
}
#endif

CudaLibrary open_default_library() {
  const char* path = std::getenv("DEBERTA_CUDA_LIBRARY");
  if (path && *path) return open_cuda_library(path);
  if (!DEBERTA_WITH_CUDA) return {nullptr, {}, "built without CUDA"};
  return open_cuda_library(beside_this_module("deberta_cuda.so"));
}

}  // namespace

CudaLibrary open_cuda_library(const std::string& path) {
  CudaLibrary result;
  void* library = open_library(path, result.reason);
  if (!library) return result;
  const auto backend =
      reinterpret_cast<deberta_cuda_backend_function>(find_symbol(library, DEBERTA_CUDA_BACKEND_SYMBOL));
  const auto probe = reinterpret_cast<deberta_cuda_probe_function>(find_symbol(library, DEBERTA_CUDA_PROBE_SYMBOL));
  if (!backend || !probe) {
    result.reason = path + " lacks the symbol " + (backend ? DEBERTA_CUDA_PROBE_SYMBOL : DEBERTA_CUDA_BACKEND_SYMBOL);
    return result;
  }
  deberta_cuda_probe_result found{};
  result.devices.resize(kMaxDevices);
  result.devices.resize(probe(&found, result.devices.data(), kMaxDevices));
  if (found.library_version != DEBERTA_CUDA_LIBRARY_VERSION) {
    result.devices.clear();
    result.reason = path + ": expected version " + std::to_string(DEBERTA_CUDA_LIBRARY_VERSION) +
                    " of the CUDA library, got " + std::to_string(found.library_version);
    return result;
  }
  result.backend = backend;
  if (result.devices.empty()) result.reason = found.reason;
  return result;
}

const CudaLibrary& cuda_library() {
  static const auto& library =
      *new const CudaLibrary(open_default_library());  // never destroyed: threads may outlive main
  return library;
}

const Backend& cuda_backend(const CudaLibrary& library, int index, const std::string& name) {
  const auto fail = [&](const std::string& why) {
    throw Error(ErrorCode::kBACKEND_UNAVAILABLE, "device \"" + name + "\": " + why);
  };
  const auto num_devices = static_cast<int>(library.devices.size());
  if (num_devices == 0) fail(library.reason);
  if (index >= num_devices) fail("this machine has " + std::to_string(num_devices) + " CUDA device(s)");
  if (!library.devices[index].usable) fail(library.devices[index].reason);
  return require_complete(*library.backend(index, raise));
}

}  // namespace deberta
