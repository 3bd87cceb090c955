// A table with a hole is refused by the name of the hole.
#include "backends/backend_table.h"

#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "doctest/doctest.h"
#include "expect_error.h"

namespace deberta::test {

TEST_CASE("require_complete: whole tables pass") {
  CHECK(&require_complete(reference_backend()) == &reference_backend());
  for (const std::string& isa : cpu_instruction_sets()) CHECK(&require_complete(cpu_backend(isa)) == &cpu_backend(isa));
}

TEST_CASE("require_complete: the missing entry is named") {
  Backend backend = reference_backend();
  backend.conv1d = nullptr;
  const std::string message = expect_error(ErrorCode::kINTERNAL, [&] { require_complete(backend); });
  CHECK(message.find("reference") != std::string::npos);
  CHECK(message.find("'conv1d'") != std::string::npos);

  backend = reference_backend();
  backend.tied_logits = nullptr;  // the last one
  CHECK(expect_error(ErrorCode::kINTERNAL, [&] { require_complete(backend); }).find("'tied_logits'") !=
        std::string::npos);

  backend = reference_backend();
  backend.name = nullptr;
  CHECK(expect_error(ErrorCode::kINTERNAL, [&] { require_complete(backend); }).find("'name'") != std::string::npos);
}

}  // namespace deberta::test
