// What a CUDA context promises beside its ops: replayed requests give the same bits, errors are typed and survived.
#include <cstring>
#include <functional>

#include "backends/cuda/backend.h"
#include "base/error.h"
#include "devices.h"
#include "doctest/doctest.h"
#include "model/support.h"

namespace deberta::test {

namespace {

std::shared_ptr<Model> load_bfloat16(const Backend& backend, const CudaDevice& device, const std::string& fixture) {
  ModelOptions options;
  options.directory = fixture_directory(fixture);
  options.context.compute_dtype = DType::kBFloat16;
  options.context.device_index = device.index;
  return Model::load(backend, options, -1, CancelToken());
}

std::vector<float> logits(Model& model, const std::vector<int>& lengths) {
  ForwardRequest request;
  request.sequences = make_sequences(lengths, 2100);
  const ForwardResult result = model.forward(request, CancelToken());
  return {result.logits.data.get(), result.logits.data.get() + result.logits.size()};
}

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kINTERNAL;
}

}  // namespace

TEST_CASE("a request that comes again gives the same bits, whatever came between") {
  for (const CudaDevice& device : cuda_devices(DType::kBFloat16)) {
    const Backend backend = cuda::make_backend(device.name.c_str());
    const auto model = load_bfloat16(backend, device, "v3-classifier");
    const std::vector<float> first = logits(*model, {17, 2});
    const std::vector<float> other = logits(*model, {113});
    for (int i = 0; i < 3; ++i) {
      CHECK(logits(*model, {17, 2}) == first);
      CHECK(logits(*model, {113}) == other);
    }
  }
}

TEST_CASE("memory that the device does not have is OUT_OF_MEMORY, and the context goes on") {
  for (const CudaDevice& device : cuda_devices(DType::kBFloat16)) {
    const Backend backend = cuda::make_backend(device.name.c_str());
    ContextOptions options;
    options.device_index = device.index;
    OpContext* context = backend.create_context(options);
    CHECK(code_of([&] { backend.allocate(context, size_t{1} << 50); }) == ErrorCode::kOUT_OF_MEMORY);
    auto* memory = backend.allocate(context, 4 * sizeof(float));
    const float sent[4] = {1, 2, 3, 4};
    float received[4] = {};
    backend.upload(context, memory, sent, sizeof sent);
    backend.download(context, received, memory, sizeof received);
    CHECK(std::memcmp(sent, received, sizeof sent) == 0);
    backend.deallocate(context, memory);
    backend.destroy_context(context);
  }
}

TEST_CASE("what is not there is refused by name") {
  const Backend backend = cuda::make_backend("test");
  ContextOptions options;
  options.compute_dtype = DType::kInt8;
  CHECK(code_of([&] { backend.create_context(options); }) == ErrorCode::kBACKEND_UNAVAILABLE);
  options = {};
  options.device_index = 1000;
  CHECK(code_of([&] { backend.create_context(options); }) == ErrorCode::kBACKEND_UNAVAILABLE);
}

}  // namespace deberta::test
