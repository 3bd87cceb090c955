// JavaScript values to plain structs and back. Runs on the env's thread and copies nothing large on the way out: result
// memory becomes the memory of an ArrayBuffer, except where the runtime refuses external memory (Electron).
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "model/model.h"
#include "tokenizer/tokenizer.h"

namespace deberta::addon {

/// The elements of an Int32Array, copied. Throws INVALID_ARGUMENT, naming `what`, for anything else.
std::vector<int32_t> to_int32_vector(const Napi::Value& value, const char* what);

/// A string as UTF-16, lone surrogates included. Throws INVALID_ARGUMENT.
std::u16string to_utf16(const Napi::Value& value, const char* what);

/// A string as UTF-8. Throws INVALID_ARGUMENT.
std::string to_utf8(const Napi::Value& value, const char* what);

/// `object[name]`; absent or undefined gives `fallback`. Throws INVALID_ARGUMENT for another type.
bool get_bool(const Napi::Object& object, const char* name, bool fallback);
int64_t get_int(const Napi::Object& object, const char* name, int64_t fallback);

EncodeOptions to_encode_options(const Napi::Value& value);

Napi::Value from_strings(Napi::Env env, const std::vector<std::string>& strings);
Napi::Value from_int32(Napi::Env env, std::vector<int32_t> values);
Napi::Value from_float64(Napi::Env env, std::vector<double> values);
Napi::Value from_tensor(Napi::Env env, HostTensor tensor);  // { data: Float32Array, dims: number[] }
Napi::Value from_tensors(Napi::Env env, std::vector<HostTensor> tensors);

/// Encodings of many texts laid end to end, so that ten thousand texts cost one crossing of a handful of arrays:
/// text t has the encodings (windows) [cuEncodings[t], cuEncodings[t + 1]), encoding e the tokens [cuTokens[e], …).
struct FlatEncodings {
  std::vector<int32_t> input_ids;           // [tokens]
  std::vector<int32_t> token_type_ids;      // [tokens]
  std::vector<int32_t> offsets;             // [tokens, 2], or empty
  std::vector<int8_t> sequence_ids;         // [tokens]
  std::vector<int32_t> truncated_tokens;    // [encodings]
  std::vector<int32_t> cu_tokens = {0};     // [encodings + 1]
  std::vector<int32_t> cu_encodings = {0};  // [texts + 1]

  /// Adds the encodings of the next text. Throws INVALID_ARGUMENT past 2^31 - 1 tokens.
  void append(const std::vector<Encoding>& encodings);
};

Napi::Value from_encodings(Napi::Env env, FlatEncodings encodings, bool offsets);

}  // namespace deberta::addon
