#include "base/error.h"

#include <set>
#include <string>

#include "doctest.h"

using namespace deberta;

TEST_CASE("every code of the table has its own stable name") {
  std::set<std::string> names;
  size_t rows = 0;
#define DEBERTA_ERROR_CODE(name, meaning)                                          \
  CHECK(std::string(error_code_name(ErrorCode::k##name)) == "DEBERTA_ERR_" #name); \
  CHECK(std::string(meaning).size() > 10);                                         \
  names.insert(error_code_name(ErrorCode::k##name));                               \
  ++rows;
#include "base/error_codes.def"
#undef DEBERTA_ERROR_CODE
  CHECK(names.size() == rows);
}

TEST_CASE("an error carries code and message") {
  const Error error(ErrorCode::kMODEL_FILE, "config.json: hidden_size is missing");
  CHECK(error.code() == ErrorCode::kMODEL_FILE);
  CHECK(std::string(error.what()) == "config.json: hidden_size is missing");
}
