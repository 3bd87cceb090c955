// Every fixture model on the backends that every machine has.
#include "backends/registry.h"
#include "doctest.h"
#include "model/golden_suite.h"
#include "model/support.h"

using namespace deberta;
using namespace deberta::test;

TEST_CASE("every fixture model on every backend is within its bar") {
  const std::vector<std::string> names = fixture_names();
  REQUIRE(names.size() >= 17);
  ContextOptions context;
  context.threads = 2;  // so that work is split
  for (const std::string& backend : backend_names()) {
    for (const std::string& name : names) check_golden(name, find_backend(backend), context);
  }
}
