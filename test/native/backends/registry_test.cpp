// Devices by name: what is chosen, what replaces "auto", and typed errors for the rest.
#include "backends/registry.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/isa_list.h"
#include "backends/reference/reference_backend.h"
#include "doctest/doctest.h"
#include "expect_error.h"

namespace deberta::test {

namespace {

/// An environment variable for as long as this lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    setenv(name, value, 1);
  }
  ~Variable() { old_.empty() ? unsetenv(name_) : setenv(name_, old_.c_str(), 1); }

 private:
  const char* name_;
  std::string old_;
};

/// What main.cpp --find-backend prints in a new process with `environment` ("NAME=value ...").
std::string find_in_new_process(const std::string& environment, const std::string& device) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command = environment + " '" + self + "' --find-backend " + device;
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string text;
  std::array<char, 256> buffer;
  while (std::fgets(buffer.data(), buffer.size(), pipe)) text += buffer.data();
  CHECK(pclose(pipe) == 0);
  return text;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string kNoCuda = "DEBERTA_CUDA_LIBRARY=/nonexistent/deberta_cuda.so";
const std::string kFakeCuda = std::string("DEBERTA_CUDA_LIBRARY='") + DEBERTA_FAKE_CUDA_TWO_DEVICES + "'";

}  // namespace

TEST_CASE("find_backend: by name") {
  CHECK(&find_backend("reference") == &reference_backend());
  CHECK(&find_backend("cpu") == &cpu_backend());
}

TEST_CASE("find_backend: unknown names") {
  for (const char* name :
       {"", "gpu", "CPU", "cpu:0", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:12345678901", "auto "}) {
    CAPTURE(std::string(name));
    const std::string message = expect_error(ErrorCode::kINVALID_ARGUMENT, [&] { find_backend(name); });
    CHECK(contains(message, "got \"" + std::string(name) + "\""));
  }
}

TEST_CASE("find_backend: DEBERTA_BACKEND replaces auto, and auto alone") {
  const Variable variable("DEBERTA_BACKEND", "reference");
  CHECK(&find_backend("auto") == &reference_backend());
  CHECK(&find_backend("cpu") == &cpu_backend());
}

TEST_CASE("find_backend: a wrong DEBERTA_BACKEND is named as the source") {
  const Variable variable("DEBERTA_BACKEND", "abacus");
  const std::string message = expect_error(ErrorCode::kINVALID_ARGUMENT, [] { find_backend("auto"); });
  CHECK(contains(message, "DEBERTA_BACKEND"));
  CHECK(contains(message, "abacus"));
}

TEST_CASE("find_backend: DEBERTA_CPU_ISA forces, or is an error") {
  for (const std::string& isa : cpu_instruction_sets()) {
    const Variable variable("DEBERTA_CPU_ISA", isa.c_str());
    CHECK(std::string(find_backend("cpu").detail) == isa);
    CHECK(find_in_new_process(kNoCuda, "auto") == "cpu " + isa + " 0");
  }
  const Variable variable("DEBERTA_CPU_ISA", "sse1");
  CHECK(contains(expect_error(ErrorCode::kINVALID_ARGUMENT, [] { find_backend("cpu"); }), "sse1"));
  CHECK(contains(expect_error(ErrorCode::kINVALID_ARGUMENT, [] { find_backend("auto"); }), "sse1"));
}

TEST_CASE("find_backend: an instruction set that this machine lacks is unavailable") {
  int lacking = 0;
  for (const InstructionSet& isa : instruction_sets()) {
    if (isa.supported) continue;
    ++lacking;
    const Variable variable("DEBERTA_CPU_ISA", isa.kernels.name);
    CHECK(contains(expect_error(ErrorCode::kBACKEND_UNAVAILABLE, [] { find_backend("cpu"); }), isa.kernels.name));
    CHECK(contains(expect_error(ErrorCode::kBACKEND_UNAVAILABLE, [] { find_backend("auto"); }), isa.kernels.name));
  }
  if (lacking == 0) MESSAGE("this machine runs every instruction set of the build: nothing to refuse");
}

TEST_CASE("find_backend: auto takes CUDA where it is, the CPU where it is not") {
  CHECK(find_in_new_process(kFakeCuda, "auto") == "cuda fake 0");
  CHECK(find_in_new_process(kFakeCuda, "cuda") == "cuda fake 0");
  CHECK(find_in_new_process(kFakeCuda + " DEBERTA_BACKEND=cpu", "auto").starts_with("cpu "));
  CHECK(find_in_new_process(kNoCuda, "auto").starts_with("cpu "));
}

TEST_CASE("find_backend: a device that was asked for is never replaced by another") {
  CHECK(find_in_new_process(kNoCuda, "cuda").starts_with("DEBERTA_ERR_BACKEND_UNAVAILABLE: device \"cuda\""));
  CHECK(contains(find_in_new_process(kNoCuda, "cuda:3"), "/nonexistent/deberta_cuda.so"));
  CHECK(find_in_new_process(kFakeCuda, "cuda:1") == "DEBERTA_ERR_BACKEND_UNAVAILABLE: device \"cuda:1\": too old");
  CHECK(find_in_new_process(kNoCuda + " DEBERTA_BACKEND=cuda", "auto").starts_with("DEBERTA_ERR_BACKEND_UNAVAILABLE"));
}

TEST_CASE("find_device_index") {
  CHECK(find_device_index("cuda") == 0);
  CHECK(find_device_index("cuda:3") == 3);
  CHECK(find_device_index("cpu") == 0);
  const Variable variable("DEBERTA_BACKEND", "cuda:2");
  CHECK(find_device_index("auto") == 2);
  CHECK(find_device_index("cpu") == 0);
}

TEST_CASE("list_devices: every device of the build, with a reason where it is not available") {
  const std::vector<DeviceDescription> devices = list_devices();
  const auto named = [&](const std::string& name) {
    return std::find_if(devices.begin(), devices.end(),
                        [&](const DeviceDescription& device) { return device.name.starts_with(name); });
  };
  for (const char* name : {"cuda", "cpu", "reference"}) REQUIRE(named(name) != devices.end());
  CHECK(named("cpu")->available);
  CHECK(named("cpu")->detail == cpu_backend().detail);
  CHECK(named("cpu")->dtypes.front() == "float32");
  CHECK(named("reference")->dtypes == std::vector<std::string>{"float32"});
  for (const DeviceDescription& device : devices) CHECK(device.available == device.reason.empty());
}

TEST_CASE("list_devices: a forced instruction set that is wrong is the CPU's reason") {
  const Variable variable("DEBERTA_CPU_ISA", "sse1");
  for (const DeviceDescription& device : list_devices()) {
    if (device.name != "cpu") continue;
    CHECK_FALSE(device.available);
    CHECK(contains(device.reason, "sse1"));
  }
}

}  // namespace deberta::test
