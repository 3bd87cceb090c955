#include "base/error.h"

namespace deberta {

const char* error_code_name(ErrorCode code) {
  switch (code) {
#define DEBERTA_ERROR_CODE(name, meaning) \
  case ErrorCode::k##name:                \
    return "DEBERTA_ERR_" #name;
#include "base/error_codes.def"
#undef DEBERTA_ERROR_CODE
  }
  return "DEBERTA_ERR_INTERNAL";
}

}  // namespace deberta
