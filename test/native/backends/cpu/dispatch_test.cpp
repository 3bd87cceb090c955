// Which instruction set runs, and what is refused by name.
#include <algorithm>
#include <string>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/isa_list.h"
#include "base/error.h"
#include "doctest/doctest.h"

namespace deberta {
namespace {

template <class Call>
Error caught(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::kINTERNAL, "nothing was thrown");
}

TEST_CASE("scalar runs everywhere, and each set by its name") {
  const auto names = cpu_instruction_sets();
  CHECK(names.back() == "scalar");
  for (const std::string& name : names) CHECK(cpu_backend(name).detail == name);
  CHECK(cpu_backend("").detail == names.front());
}

TEST_CASE("an unknown instruction set is an error that lists the known ones") {
  const Error error = caught([] { cpu_backend("mmx"); });
  CHECK(error.code() == ErrorCode::kINVALID_ARGUMENT);
  CHECK(std::string(error.what()).find("mmx") != std::string::npos);
  CHECK(std::string(error.what()).find("scalar") != std::string::npos);
}

TEST_CASE("an instruction set that this CPU lacks is refused with what it can run") {
  for (const InstructionSet& isa : instruction_sets()) {
    if (isa.supported) continue;
    const Error error = caught([&] { cpu_backend(isa.kernels.name); });
    CHECK(error.code() == ErrorCode::kBACKEND_UNAVAILABLE);
    CHECK(std::string(error.what()).find("scalar") != std::string::npos);
  }
}

TEST_CASE("a dtype that an instruction set cannot compute in is refused by name") {
  const Backend& scalar = cpu_backend("scalar");
  for (const auto& [dtype, name] : {std::pair{DType::kFloat16, "float16"}, {DType::kBFloat16, "bfloat16"}}) {
    ContextOptions options;
    options.compute_dtype = dtype;
    const Error error = caught([&] { scalar.create_context(options); });
    CHECK(error.code() == ErrorCode::kBACKEND_UNAVAILABLE);
    CHECK(std::string(error.what()).find(name) != std::string::npos);
  }
}

TEST_CASE("an op larger than its reservation surfaces in synchronize, once") {
  const Backend& backend = cpu_backend("");
  OpContext* context = backend.create_context({});
  float weight = 1.0f, value = 1.0f;
  const LinearPart part = {{&weight, DType::kFloat32, 1, 1}, nullptr};
  PackedLinear* packed = backend.pack_linear(context, &part, 1);
  LinearArgs args;  // reserve() was never called
  args.input = {&value, 1, 1, 1};
  args.weight = packed;
  args.output = {&value, 1, 1, 1};
  backend.linear(context, args);
  CHECK(caught([&] { backend.synchronize(context); }).code() == ErrorCode::kINTERNAL);
  CHECK_NOTHROW(backend.synchronize(context));
  backend.free_linear(context, packed);
  backend.destroy_context(context);
}

}  // namespace
}  // namespace deberta
