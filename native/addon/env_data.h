// What one env (the main thread or one worker_thread) owns: its jobs and the constructors of its native classes.
#pragma once

#include <napi.h>

#include "addon/async_job.h"

namespace deberta::addon {

struct EnvData {
  explicit EnvData(Napi::Env env) : jobs(env) {}

  JobRunner jobs;
  Napi::FunctionReference model_class;
  Napi::FunctionReference tokenizer_class;

  static EnvData& of(Napi::Env env) { return *env.GetInstanceData<EnvData>(); }
};

}  // namespace deberta::addon
