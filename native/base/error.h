// The one exception type of the native code, and the table of its codes.
// Thrown while loading, validating and setting up; ops never throw.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace deberta {

enum class ErrorCode {
#define DEBERTA_ERROR_CODE(name, meaning) k##name,
#include "base/error_codes.def"
#undef DEBERTA_ERROR_CODE
};

/// The stable name users match on, "DEBERTA_ERR_<NAME>".
const char* error_code_name(ErrorCode code);

/// What went wrong (`code`) and, in `what()`, what was expected, what came and where.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace deberta
