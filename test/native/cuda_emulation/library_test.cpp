// The CUDA library as the loader meets it: a shared object, two C functions, errors that cross the boundary with their
// type.
#include "backends/cuda_loader.h"
#include "base/error.h"
#include "doctest/doctest.h"

namespace deberta {

namespace {

ErrorCode code_of(const Backend& backend, const ContextOptions& options) {
  try {
    backend.destroy_context(backend.create_context(options));
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kINTERNAL;
}

}  // namespace

TEST_CASE("the library tells its devices, and gives a table for each") {
  const CudaLibrary library = open_cuda_library(DEBERTA_EMULATED_LIBRARY);
  CAPTURE(library.reason);
  REQUIRE(library.devices.size() == 2);
  CHECK(library.devices[1].usable == 1);
  CHECK(std::string(library.devices[1].architecture) == "sm_90");
  const Backend& backend = cuda_backend(library, 1, "cuda:1");
  CHECK(std::string(backend.detail) == "sm_90");

  ContextOptions options;
  options.device_index = 1;
  OpContext* context = backend.create_context(options);
  float value = 0.0f;
  const float sent = 2.5f;
  void* memory = backend.allocate(context, sizeof sent);
  backend.upload(context, memory, &sent, sizeof sent);
  backend.download(context, &value, memory, sizeof value);
  CHECK(value == sent);
  backend.destroy_context(context);
}

TEST_CASE("what the library throws arrives as an error of this side") {
  const CudaLibrary library = open_cuda_library(DEBERTA_EMULATED_LIBRARY);
  const bool opened = library.backend != nullptr;
  REQUIRE(opened);
  const Backend& backend = cuda_backend(library, 0, "cuda:0");
  ContextOptions options;
  options.compute_dtype = DType::kInt8;
  CHECK(code_of(backend, options) == ErrorCode::kBACKEND_UNAVAILABLE);
  options = {};
  options.device_index = 7;
  CHECK(code_of(backend, options) == ErrorCode::kBACKEND_UNAVAILABLE);
}

}  // namespace deberta
