#include "addon/model_object.h"

#include <exception>
#include <utility>
#include <vector>

#include "addon/convert.h"
#include "addon/devices.h"
#include "addon/env_data.h"
#include "addon/errors.h"
#include "addon/forward_job.h"
#include "addon/tokenizer_object.h"
#include "tokenizer/tokenizer_cache.h"

namespace deberta::addon {

namespace {

class LoadModelJob final : public Job {
 public:
  LoadModelJob(ModelOptions options, std::string device, std::string dtype)
      : options_(std::move(options)), device_(std::move(device)), dtype_(std::move(dtype)) {}

  void run(const CancelToken& cancel) override {
    DeviceChoice choice = choose_device(device_, dtype_, options_.context.threads);
    try {
      tokenizer_ = find_or_load_tokenizer(options_.directory, cancel);
    } catch (...) {
      tokenizer_error_ = std::current_exception();
    }
    cancel.check();
    options_.context = choice.context;
    const int32_t mask_token_id = tokenizer_ ? tokenizer_->special_tokens().mask : -1;
    model_ = Model::load(*choice.backend, options_, mask_token_id, cancel);
    why_ = std::move(choice.why);
  }

  Napi::Value result(Napi::Env env) override {
    Napi::Object object = Napi::Object::New(env);
    object.Set("model", ModelObject::create(env, std::move(model_), why_));
    object.Set("tokenizer", tokenizer_ ? TokenizerObject::create(env, std::move(tokenizer_)) : env.Null());
    object.Set("tokenizerError", tokenizer_error_ ? error_value(env, tokenizer_error_) : env.Null());
    return object;
  }

 private:
  ModelOptions options_;
  std::string device_;
  std::string dtype_;
  std::string why_;
  std::shared_ptr<Model> model_;
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::exception_ptr tokenizer_error_;
};

}  // namespace

Napi::Function ModelObject::define(Napi::Env env) {
  return DefineClass(
      env, "NativeModel",
      {InstanceMethod<&ModelObject::forward>("forward"), InstanceMethod<&ModelObject::describe>("describe"),
       InstanceMethod<&ModelObject::config_json>("configJson"), InstanceMethod<&ModelObject::dispose>("dispose")});
}

Napi::Value ModelObject::create(Napi::Env env, std::shared_ptr<Model> model, const std::string& why) {
  Napi::Object object = EnvData::of(env).model_class.New({});
  ModelObject* self = Unwrap(object);
  self->model_ = std::move(model);
  self->why_ = why;
  self->accounted_bytes_ = self->model_->info().weight_bytes_packed;
  Napi::MemoryManagement::AdjustExternalMemory(env, self->accounted_bytes_);
  return object;
}

void ModelObject::Finalize(Napi::BasicEnv env) {
  if (accounted_bytes_ != 0) Napi::MemoryManagement::AdjustExternalMemory(env, -accounted_bytes_);
}

const std::shared_ptr<Model>& ModelObject::alive() const {
  if (!model_) throw Error(ErrorCode::kDISPOSED, "the model was disposed before the call");
  return model_;
}

Napi::Value ModelObject::forward(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsObject()) throw Error(ErrorCode::kINVALID_ARGUMENT, "expected an object for `request`");
    auto job = make_forward_job(alive(), info[0].As<Napi::Object>());
    return EnvData::of(info.Env()).jobs.start(info.Env(), Lane::kCompute, std::move(job));
  });
}

Napi::Value ModelObject::describe(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const ModelInfo& model = alive()->info();
    Napi::Object object = Napi::Object::New(env);
    object.Set("task", model.task);
    object.Set("device", model.device);
    object.Set("detail", model.detail);
    object.Set("dtype", model.dtype);
    object.Set("why", why_);
    object.Set("hasEmd", model.has_emd);
    object.Set("numParameters", static_cast<double>(model.num_parameters));
    object.Set("weightBytesMapped", static_cast<double>(model.weight_bytes_mapped));
    object.Set("weightBytesPacked", static_cast<double>(model.weight_bytes_packed));
    object.Set("ignoredTensors", from_strings(env, model.ignored_tensors));
    return object;
  });
}

Napi::Value ModelObject::config_json(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value { return Napi::String::New(info.Env(), alive()->config_json()); });
}

Napi::Value ModelObject::dispose(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!model_) return env.Undefined();
  EnvData::of(env).jobs.release_later(std::move(model_));
  model_.reset();
  Napi::MemoryManagement::AdjustExternalMemory(env, -accounted_bytes_);
  accounted_bytes_ = 0;
  return env.Undefined();
}

Napi::Value load_model(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!info[0].IsObject()) throw Error(ErrorCode::kINVALID_ARGUMENT, "expected an object for `options`");
    const auto object = info[0].As<Napi::Object>();
    ModelOptions options;
    options.directory = to_utf8(object.Get("directory"), "directory");
    options.context.threads = static_cast<int>(get_int(object, "threads", 0));
    options.max_batch_tokens = get_int(object, "maxBatchTokens", options.max_batch_tokens);
    auto job = std::make_unique<LoadModelJob>(std::move(options), to_utf8(object.Get("device"), "device"),
                                              to_utf8(object.Get("dtype"), "dtype"));
    return EnvData::of(info.Env()).jobs.start(info.Env(), Lane::kBackground, std::move(job));
  });
}

}  // namespace deberta::addon
