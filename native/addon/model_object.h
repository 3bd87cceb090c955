// The native half of lib/model.ts: a loaded Model behind a JavaScript object, its forward as a job of the compute lane.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "model/model.h"

namespace deberta::addon {

class ModelObject final : public Napi::ObjectWrap<ModelObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Value create(Napi::Env env, std::shared_ptr<Model> model, const std::string& why);

  /// As good as disposed, until create() has filled it.
  explicit ModelObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ModelObject>(info) {}
  void Finalize(Napi::BasicEnv env) override;

 private:
  Napi::Value forward(const Napi::CallbackInfo& info);      // (request) => id of a job, NativeForwardResult
  Napi::Value describe(const Napi::CallbackInfo& info);     // () => NativeModelInfo
  Napi::Value config_json(const Napi::CallbackInfo& info);  // () => string
  Napi::Value dispose(const Napi::CallbackInfo& info);

  const std::shared_ptr<Model>& alive() const;  // throws DISPOSED

  std::shared_ptr<Model> model_;
  std::string why_;
  int64_t accounted_bytes_ = 0;  // what V8 was told this object holds
};

/// loadModel({ directory, device, dtype, threads, maxBatchTokens }) => id of a job, { model, tokenizer, tokenizerError
/// }. The tokenizer of the folder is read by the same job: a masked LM needs its mask token, and model.tokenizer must
/// not block later. Without one, or with a broken one, the model loads all the same and tokenizerError says why.
Napi::Value load_model(const Napi::CallbackInfo& info);

}  // namespace deberta::addon
