// One forward as JavaScript asks for it: the request's conversion, the run on the compute lane, the result's
// conversion.
#pragma once

#include <napi.h>

#include <memory>

#include "addon/async_job.h"
#include "model/model.h"

namespace deberta::addon {

/// Reads a NativeForwardRequest (binding.d.ts). Throws INVALID_ARGUMENT.
std::unique_ptr<Job> make_forward_job(std::shared_ptr<Model> model, const Napi::Object& request);

}  // namespace deberta::addon
