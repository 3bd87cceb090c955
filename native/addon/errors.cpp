#include "addon/errors.h"

#include <new>

namespace deberta::addon {

namespace {

Napi::Value coded_error(Napi::Env env, ErrorCode code, const char* message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, error_code_name(code)));
  return error.Value();
}

}  // namespace

Napi::Value error_value(Napi::Env env, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Napi::Error& thrown) {
    return thrown.Value();
  } catch (const Error& thrown) {
    return coded_error(env, thrown.code(), thrown.what());
  } catch (const std::bad_alloc&) {
    return coded_error(env, ErrorCode::kOUT_OF_MEMORY, "memory could not be allocated");
  } catch (const std::exception& thrown) {
    return coded_error(env, ErrorCode::kINTERNAL, thrown.what());
  } catch (...) {
    return coded_error(env, ErrorCode::kINTERNAL, "an unknown native error");
  }
}

}  // namespace deberta::addon
