// Runs a call that must throw deberta::Error and gives the error, so that tests can look at code and message.
#pragma once

#include <optional>
#include <string>

#include "base/error.h"
#include "doctest.h"

namespace deberta::test {

template <class Call>
Error error_of(Call&& call) {
  std::optional<Error> caught;
  try {
    call();
  } catch (const Error& error) {
    caught = error;
  }
  REQUIRE_MESSAGE(caught.has_value(), "expected a deberta::Error, nothing was thrown");
  return *caught;
}

inline bool mentions(const Error& error, const std::string& text) {
  return std::string(error.what()).find(text) != std::string::npos;
}

}  // namespace deberta::test

#define CHECK_MENTIONS(error, text) CHECK_MESSAGE(deberta::test::mentions(error, text), (error).what())
