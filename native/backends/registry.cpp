// Names of devices to op tables. What each backend can run is its own knowledge; here is only the choice.
#include "backends/registry.h"

#include <cstdlib>
#include <optional>

#include "backends/backend_table.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cuda_loader.h"
#include "backends/reference/reference_backend.h"
#include "base/error.h"

namespace deberta {

namespace {

constexpr const char* kKnownDevices = "\"auto\", \"cpu\", \"reference\", \"cuda\" or \"cuda:N\"";

/// The device that is meant: DEBERTA_BACKEND in place of "auto".
std::string resolve(const std::string& device) {
  const char* replacement = std::getenv("DEBERTA_BACKEND");
  return device == "auto" && replacement && *replacement ? replacement : device;
}

/// N of "cuda" (0) and "cuda:N"; nothing for every other name.
std::optional<int> cuda_index(const std::string& device) {
  if (device == "cuda") return 0;
  if (!device.starts_with("cuda:") || device.size() > 8) return std::nullopt;
  const std::string digits = device.substr(5);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return std::stoi(digits);
}

bool has_usable_cuda() {
  const auto& devices = cuda_library().devices;
  return !devices.empty() && devices.front().usable;
}

void list_cuda(std::vector<DeviceDescription>& devices) {
  const CudaLibrary& library = cuda_library();
  if (library.devices.empty()) devices.push_back({"cuda", "", false, library.reason, {}});
  for (size_t i = 0; i < library.devices.size(); ++i) {
    const deberta_cuda_device& device = library.devices[i];
    const std::string detail = std::string(device.name) + " (" + device.architecture + ")";
    const bool usable = device.usable != 0;
    devices.push_back({"cuda:" + std::to_string(i), detail, usable, device.reason, {"float32", "bfloat16", "float16"}});
  }
}

void list_cpu(std::vector<DeviceDescription>& devices) {
  try {
    const Backend& cpu = cpu_backend();
    devices.push_back({"cpu", cpu.detail, true, "", cpu_compute_dtypes(cpu)});
  } catch (const Error& error) {  // an instruction set was forced that this machine lacks
    devices.push_back({"cpu", "", false, error.what(), {}});
  }
}

}  // namespace

std::vector<DeviceDescription> list_devices() {
  std::vector<DeviceDescription> devices;
  list_cuda(devices);
  list_cpu(devices);
  devices.push_back({"reference", reference_backend().detail, true, "", {"float32"}});
  return devices;
}

const Backend& find_backend(const std::string& device) {
  const std::string name = resolve(device);
  if (name == "auto" && has_usable_cuda()) return cuda_backend(cuda_library(), 0, "cuda:0");
  if (name == "auto" || name == "cpu") return require_complete(cpu_backend());
  if (name == "reference") return require_complete(reference_backend());
  if (const auto index = cuda_index(name)) return cuda_backend(cuda_library(), *index, name);
  const std::string source = name == device ? "device" : "DEBERTA_BACKEND";
  throw Error(ErrorCode::kINVALID_ARGUMENT, source + ": expected " + kKnownDevices + ", got \"" + name + "\"");
}

int find_device_index(const std::string& device) { return cuda_index(resolve(device)).value_or(0); }

}  // namespace deberta
