// A check that an action throws deberta::Error with a given code; gives its message back.
#pragma once

#include <string>

#include "base/error.h"
#include "doctest/doctest.h"

namespace deberta::test {

template <class Action>
std::string expect_error(ErrorCode code, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error_code_name(error.code()) == std::string(error_code_name(code)));
    return error.what();
  }
  FAIL_CHECK("expected " << std::string(error_code_name(code)) << ", nothing was thrown");
  return "";
}

}  // namespace deberta::test
