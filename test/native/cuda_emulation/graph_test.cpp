// Short requests become graphs, long ones do not, memory runs out in the middle of a model: what only the emulated
// runtime can show.
#include "backends/cuda/backend.h"
#include "base/error.h"
#include "doctest/doctest.h"
#include "model/support.h"
#include "runtime.h"

namespace deberta::test {

namespace {

std::shared_ptr<Model> load_on_emulator(const Backend& backend) {
  ModelOptions options;
  options.directory = fixture_directory("v3-classifier");
  options.context.compute_dtype = DType::kBFloat16;
  return Model::load(backend, options, -1, CancelToken());
}

std::vector<float> forward(Model& model, const std::vector<int>& lengths) {
  ForwardRequest request;
  request.sequences = make_sequences(lengths, 2100);
  const ForwardResult result = model.forward(request, CancelToken());
  return {result.logits.data.get(), result.logits.data.get() + result.logits.size()};
}

}  // namespace

TEST_CASE("the second request of a shape is one graph launch or two, and no kernel launch") {
  const Backend backend = cuda::make_backend("emulated");
  const auto model = load_on_emulator(backend);
  forward(*model, {17});
  forward(*model, {17});  // instantiates
  const emulation::Counters before = emulation::counters();
  forward(*model, {17});
  const emulation::Counters after = emulation::counters();
  CHECK(after.kernel_launches == before.kernel_launches);
  CHECK(after.graph_launches > before.graph_launches);
  CHECK(after.graph_launches <= before.graph_launches + 2);
}

TEST_CASE("a request that finds no memory is OUT_OF_MEMORY, and the model goes on") {
  const Backend backend = cuda::make_backend("emulated");
  const auto model = load_on_emulator(backend);
  const std::vector<float> first = forward(*model, {5});
  emulation::limit_memory(emulation::allocated_bytes() + (32 << 10));
  auto code = ErrorCode::kINTERNAL;
  try {
    forward(*model, {400, 300, 200});
  } catch (const Error& error) {
    code = error.code();
  }
  emulation::limit_memory(0);
  CHECK(code == ErrorCode::kOUT_OF_MEMORY);
  CHECK(forward(*model, {5}) == first);
  CHECK_NOTHROW(forward(*model, {400, 300, 200}));
}

}  // namespace deberta::test
