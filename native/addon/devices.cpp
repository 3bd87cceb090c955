#include "addon/devices.h"

#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

#include "addon/convert.h"
#include "addon/env_data.h"
#include "addon/errors.h"

namespace deberta::addon {

namespace {

DType parse_dtype(const std::string& name) {
  if (name == "float32") return DType::kFloat32;
  if (name == "float16") return DType::kFloat16;
  if (name == "bfloat16") return DType::kBFloat16;
  if (name == "int8") return DType::kInt8;
  throw Error(ErrorCode::kINVALID_ARGUMENT,
              "expected 'auto', 'float32', 'bfloat16', 'float16' or 'int8' for `dtype`, got '" + name + "'");
}

const DeviceDescription* describe(const std::vector<DeviceDescription>& devices, const std::string& backend,
                                  int index) {
  for (const DeviceDescription& device : devices)
    if (device.name == backend || device.name == backend + ":" + std::to_string(index)) return &device;
  return nullptr;
}

std::string explain_device(const std::string& asked, const Backend& backend,
                           const std::vector<DeviceDescription>& all) {
  if (asked != "auto") return std::string("device '") + asked + "' as asked";
  std::string why = std::string("device 'auto' chose '") + backend.name + "' (" + backend.detail + ")";
  if (const char* forced = std::getenv("DEBERTA_BACKEND")) return why + ": DEBERTA_BACKEND is '" + forced + "'";
  for (const DeviceDescription& device : all)
    if (!device.available) why += "; no '" + device.name + "': " + device.reason;
  return why;
}

class ListDevicesJob final : public Job {
 public:
  void run(const CancelToken&) override { devices_ = list_devices(); }

  Napi::Value result(Napi::Env env) override {
    Napi::Array array = Napi::Array::New(env, devices_.size());
    for (size_t i = 0; i < devices_.size(); ++i) {
      const DeviceDescription& device = devices_[i];
      Napi::Object object = Napi::Object::New(env);
      object.Set("name", device.name);
      object.Set("detail", device.detail);
      object.Set("available", device.available);
      object.Set("reason", device.reason);
      object.Set("dtypes", from_strings(env, device.dtypes));
      array.Set(static_cast<uint32_t>(i), object);
    }
    return array;
  }

 private:
  std::vector<DeviceDescription> devices_;
};

}  // namespace

DeviceChoice choose_device(const std::string& device, const std::string& dtype, int threads) {
  DeviceChoice choice;
  choice.backend = &find_backend(device);
  choice.context.threads = threads;
  choice.context.device_index = find_device_index(device);
  const std::vector<DeviceDescription> all = list_devices();
  choice.why = explain_device(device, *choice.backend, all);
  if (dtype != "auto") {
    choice.context.compute_dtype = parse_dtype(dtype);
    choice.why += "; dtype '" + dtype + "' as asked";
    return choice;
  }
  const DeviceDescription* description = describe(all, choice.backend->name, choice.context.device_index);
  const std::string chosen = description && !description->dtypes.empty() ? description->dtypes.front() : "float32";
  choice.context.compute_dtype = parse_dtype(chosen);
  choice.why += "; dtype 'auto' chose '" + chosen + "'";
  return choice;
}

Napi::Value list_devices_async(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return EnvData::of(info.Env()).jobs.start(info.Env(), Lane::kBackground, std::make_unique<ListDevicesJob>());
  });
}

}  // namespace deberta::addon
