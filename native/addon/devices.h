// Names of devices and dtypes as JavaScript gives them: what they mean on this machine, and listDevices().
#pragma once

#include <napi.h>

#include <string>

#include "backends/registry.h"
#include "ops/ops.h"

namespace deberta::addon {

struct DeviceChoice {
  const Backend* backend = nullptr;
  ContextOptions context;
  std::string why;  // in words, for model.info
};

/// Chooses backend, device index and dtype. `dtype` "auto" is the first that the device lists. Throws INVALID_ARGUMENT,
/// BACKEND_UNAVAILABLE.
DeviceChoice choose_device(const std::string& device, const std::string& dtype, int threads);

/// listDevices(): the id of a job, DeviceDescription[]; off the main thread because a GPU driver takes long to wake.
Napi::Value list_devices_async(const Napi::CallbackInfo& info);

}  // namespace deberta::addon
