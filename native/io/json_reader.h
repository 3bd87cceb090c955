// Strict JSON (RFC 8259) to JsonValue, in linear time and with bounds on depth and size. Includes json_value.h, so that
// users need this header only.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "io/json_value.h"

namespace deberta {

struct JsonOptions {
  ErrorCode code = ErrorCode::kMODEL_FILE;  // what malformed text and failing getters throw
  bool refuse_duplicate_keys = true;        // false: the last of them is found
  int max_depth = 200;                      // nested arrays and objects
  size_t max_values = 16u << 20;  // values in the text; bounds the memory (40 bytes a value) that a file can take
};

/// Parses a whole text: valid UTF-8, no byte order mark, one value, nothing after it but white space. Numbers written
/// without fraction and exponent that fit are int64, all others double. `file` is what errors call the text; they add
/// the byte offset.
JsonDocument parse_json(std::string_view text, const std::string& file, const JsonOptions& options = {});

/// The same for a file. Throws FILE_NOT_FOUND besides.
JsonDocument read_json_file(const std::string& path, const JsonOptions& options = {});

}  // namespace deberta
