// C++ exceptions as JavaScript errors: an Error whose `code` is a name of base/error_codes.def. lib/ makes it a
// DebertaError.
#pragma once

#include <napi.h>

#include <exception>

#include "base/error.h"

namespace deberta::addon {

/// deberta::Error keeps its code, std::bad_alloc is OUT_OF_MEMORY, a JavaScript error passes through, the rest is
/// INTERNAL.
Napi::Value error_value(Napi::Env env, const std::exception_ptr& error);

/// Runs `body` as the body of a function that JavaScript called: what it throws becomes a JavaScript exception.
template <class Body>
auto guarded(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (...) {
    throw Napi::Error(env, error_value(env, std::current_exception()));
  }
}

}  // namespace deberta::addon
