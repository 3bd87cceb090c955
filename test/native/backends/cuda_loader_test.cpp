// The loader against libraries that are there, absent, empty, strange or of another version (fake_cuda_library.cpp).
#include "backends/cuda_loader.h"

#include "doctest/doctest.h"
#include "expect_error.h"

namespace deberta::test {

TEST_CASE("open_cuda_library: devices, and the table of a usable one") {
  const CudaLibrary library = open_cuda_library(DEBERTA_FAKE_CUDA_TWO_DEVICES);
  REQUIRE(library.devices.size() == 2);
  CHECK(std::string(library.devices[1].name) == "Fake 1");
  CHECK(std::string(cuda_backend(library, 0, "cuda:0").detail) == "fake");
}

TEST_CASE("cuda_backend: devices that are unusable or absent") {
  const CudaLibrary library = open_cuda_library(DEBERTA_FAKE_CUDA_TWO_DEVICES);
  const auto ask = [&](int index, const char* name) {
    return expect_error(ErrorCode::kBACKEND_UNAVAILABLE, [&] { cuda_backend(library, index, name); });
  };
  CHECK(ask(1, "cuda:1") == "device \"cuda:1\": too old");
  CHECK(ask(2, "cuda:2") == "device \"cuda:2\": this machine has 2 CUDA device(s)");
}

TEST_CASE("cuda_backend: what the library raises arrives as an error of this side") {
  CudaLibrary library = open_cuda_library(DEBERTA_FAKE_CUDA_TWO_DEVICES);
  library.devices[1].usable = 1;  // the library itself still refuses it
  CHECK(expect_error(ErrorCode::kDEVICE, [&] { cuda_backend(library, 1, "cuda:1"); }) == "no such fake device");
}

TEST_CASE("open_cuda_library: reasons") {
  const auto reason = [](const char* path) {
    const CudaLibrary library = open_cuda_library(path);
    CHECK(library.devices.empty());
    const std::string message =
        expect_error(ErrorCode::kBACKEND_UNAVAILABLE, [&] { cuda_backend(library, 0, "cuda"); });
    CHECK(message == "device \"cuda\": " + library.reason);
    return library.reason;
  };
  CHECK(reason(DEBERTA_FAKE_CUDA_NO_DEVICE) == "the driver says no");
  CHECK(reason(DEBERTA_FAKE_CUDA_OTHER_VERSION).find("expected version 2") != std::string::npos);
  CHECK(reason(DEBERTA_FAKE_CUDA_OTHER_VERSION).find("got 999") != std::string::npos);
  CHECK(reason("/nonexistent/deberta_cuda.so").find("not found") != std::string::npos);
  CHECK(reason("libm.so.6").find("lacks the symbol deberta_cuda_backend") != std::string::npos);
}

}  // namespace deberta::test
