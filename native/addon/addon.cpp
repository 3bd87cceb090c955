// Registers the addon in an env: its data, the cleanup hook, and the exports that binding.d.ts describes.
#include <napi.h>

#include "addon/convert.h"
#include "addon/devices.h"
#include "addon/env_data.h"
#include "addon/errors.h"
#include "addon/model_object.h"
#include "addon/tokenizer_object.h"

namespace deberta::addon {

namespace {

Napi::Value cancel(const Napi::CallbackInfo& info) {
  const uint32_t id = info[0].ToNumber().Uint32Value();
  return Napi::Boolean::New(info.Env(), EnvData::of(info.Env()).jobs.cancel(info.Env(), id));
}

/// listen(listener): (id, error | null, result) => void is called on this thread when a job has ended.
Napi::Value listen(const Napi::CallbackInfo& info) {
  if (!info[0].IsFunction()) throw Napi::TypeError::New(info.Env(), "expected a function");
  EnvData::of(info.Env()).jobs.listen(info[0].As<Napi::Function>());
  return info.Env().Undefined();
}

/// externalMemory(): the bytes outside V8's heap that V8 knows of in this env; the leak test compares.
Napi::Value external_memory(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(),
                           static_cast<double>(Napi::MemoryManagement::AdjustExternalMemory(info.Env(), 0)));
}

/// errorCodes(): the names of base/error_codes.def, in order; the test of lib/errors.ts compares.
Napi::Value error_codes(const Napi::CallbackInfo& info) {
  return from_strings(info.Env(), {
#define DEBERTA_ERROR_CODE(name, meaning) error_code_name(ErrorCode::k##name),
#include "base/error_codes.def"
#undef DEBERTA_ERROR_CODE
                                  });
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  // Hooks run last-in first-out: the thread-safe function inside EnvData must exist before the hook that stops its
  // users.
  auto* data = new EnvData(env);
  env.SetInstanceData(data);  // deleted after the cleanup hooks
  env.AddCleanupHook([](EnvData* ending) { ending->jobs.shut_down(); }, data);
  data->model_class = Napi::Persistent(ModelObject::define(env));
  data->tokenizer_class = Napi::Persistent(TokenizerObject::define(env));
  exports.Set("loadModel", Napi::Function::New<load_model>(env, "loadModel"));
  exports.Set("loadTokenizer", Napi::Function::New<load_tokenizer>(env, "loadTokenizer"));
  exports.Set("listDevices", Napi::Function::New<list_devices_async>(env, "listDevices"));
  exports.Set("listen", Napi::Function::New<listen>(env, "listen"));
  exports.Set("cancel", Napi::Function::New<cancel>(env, "cancel"));
  exports.Set("externalMemory", Napi::Function::New<external_memory>(env, "externalMemory"));
  exports.Set("errorCodes", Napi::Function::New<error_codes>(env, "errorCodes"));
  return exports;
}

}  // namespace

}  // namespace deberta::addon

static Napi::Object init_deberta(Napi::Env env, Napi::Object exports) {
  return deberta::addon::initialize(env, exports);
}
NODE_API_MODULE(deberta, init_deberta)
