// doctest's main, and `--find-backend DEVICE`: what the registry answers in a process of its own, for tests of what is
// read from the environment once.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "backends/registry.h"
#include "base/error.h"
#include "doctest/doctest.h"

/// AddressSanitizer ends the process at an allocation that is too large, unless told to return null as everybody else
/// does.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options();
const char* __asan_default_options() { return "allocator_may_return_null=1"; }

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--find-backend") == 0) {
    try {
      const deberta::Backend& backend = deberta::find_backend(argv[2]);
      std::printf("%s %s %d", backend.name, backend.detail, deberta::find_device_index(argv[2]));
    } catch (const deberta::Error& error) {
      std::printf("%s: %s", deberta::error_code_name(error.code()), error.what());
    }
    return 0;
  }
  return doctest::Context(argc, argv).run();
}
