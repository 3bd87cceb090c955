#include "addon/convert.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"

namespace deberta::addon {

namespace {

// Below this many bytes a copy is cheaper than the bookkeeping of an external ArrayBuffer (a weak handle and a
// finalizer).
constexpr size_t kCopyBytes = 16384;

[[noreturn]] void wrong_type(const char* expected, const char* what) {
  throw Error(ErrorCode::kINVALID_ARGUMENT, std::string("expected ") + expected + " for `" + what + "`");
}

Napi::ArrayBuffer copied(Napi::Env env, const void* data, size_t bytes) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
  if (bytes > 0) std::memcpy(buffer.Data(), data, bytes);
  return buffer;
}

/// An ArrayBuffer over the memory that `owner` owns; owner is deleted when the buffer is collected.
template <class Owner>
Napi::ArrayBuffer adopted(Napi::Env env, Owner owner, void* data, size_t bytes) {
  if (bytes < kCopyBytes) return copied(env, data, bytes);
  auto held = std::make_unique<Owner>(std::move(owner));
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, data, bytes, [](napi_env, void*, void* hint) { delete static_cast<Owner*>(hint); }, held.get(), &buffer);
  if (status == napi_no_external_buffers_allowed) return copied(env, data, bytes);
  if (status != napi_ok) throw Error(ErrorCode::kOUT_OF_MEMORY, "an ArrayBuffer could not be created");
  held.release();
  return Napi::ArrayBuffer(env, buffer);
}

template <class Array, class Element>
Array typed_array(Napi::Env env, std::vector<Element> values) {
  const size_t length = values.size();
  void* data = values.data();
  return Array::New(env, length, adopted(env, std::move(values), data, length * sizeof(Element)), 0);
}

}  // namespace

std::vector<int32_t> to_int32_vector(const Napi::Value& value, const char* what) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_int32_array)
    wrong_type("an Int32Array", what);
  const auto array = value.As<Napi::Int32Array>();
  return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
}

std::u16string to_utf16(const Napi::Value& value, const char* what) {
  if (!value.IsString()) wrong_type("a string", what);
  return value.As<Napi::String>().Utf16Value();
}

std::string to_utf8(const Napi::Value& value, const char* what) {
  if (!value.IsString()) wrong_type("a string", what);
  return value.As<Napi::String>().Utf8Value();
}

bool get_bool(const Napi::Object& object, const char* name, bool fallback) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsBoolean()) wrong_type("a boolean", name);
  return value.As<Napi::Boolean>().Value();
}

int64_t get_int(const Napi::Object& object, const char* name, int64_t fallback) {
  const Napi::Value value = object.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsNumber()) wrong_type("a number", name);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(std::abs(number) <= 9007199254740991.0) || number != std::floor(number)) wrong_type("an integer", name);
  return static_cast<int64_t>(number);
}

EncodeOptions to_encode_options(const Napi::Value& value) {
  EncodeOptions options;
  if (value.IsUndefined()) return options;
  if (!value.IsObject()) wrong_type("an object", "options");
  const auto object = value.As<Napi::Object>();
  options.add_special_tokens = get_bool(object, "addSpecialTokens", options.add_special_tokens);
  options.parse_special_tokens = get_bool(object, "parseSpecialTokens", options.parse_special_tokens);
  options.allow_mask = get_bool(object, "allowMask", options.allow_mask);
  options.max_length = get_int(object, "maxLength", options.max_length);
  options.stride = get_int(object, "stride", options.stride);
  options.return_windows = get_bool(object, "windows", options.return_windows);
  options.offsets = get_bool(object, "offsets", options.offsets);
  const int64_t truncation = get_int(object, "truncation", 0);
  if (truncation < 0 || truncation > static_cast<int64_t>(Truncation::kOnlySecond))
    wrong_type("a truncation strategy", "truncation");
  options.truncation = static_cast<Truncation>(truncation);
  return options;
}

Napi::Value from_strings(Napi::Env env, const std::vector<std::string>& strings) {
  Napi::Array array = Napi::Array::New(env, strings.size());
  for (size_t i = 0; i < strings.size(); ++i) array.Set(static_cast<uint32_t>(i), Napi::String::New(env, strings[i]));
  return array;
}

Napi::Value from_int32(Napi::Env env, std::vector<int32_t> values) {
  return typed_array<Napi::Int32Array>(env, std::move(values));
}

Napi::Value from_float64(Napi::Env env, std::vector<double> values) {
  return typed_array<Napi::Float64Array>(env, std::move(values));
}

Napi::Value from_tensor(Napi::Env env, HostTensor tensor) {
  size_t length = 1;
  Napi::Array dims = Napi::Array::New(env, tensor.dims.size());
  for (size_t i = 0; i < tensor.dims.size(); ++i) {
    length *= static_cast<size_t>(tensor.dims[i]);
    dims.Set(static_cast<uint32_t>(i), Napi::Number::New(env, static_cast<double>(tensor.dims[i])));
  }
  float* data = tensor.data.get();
  Napi::ArrayBuffer buffer = adopted(env, std::move(tensor.data), data, length * sizeof(float));
  Napi::Object object = Napi::Object::New(env);
  object.Set("data", Napi::Float32Array::New(env, length, buffer, 0));
  object.Set("dims", dims);
  return object;
}

Napi::Value from_tensors(Napi::Env env, std::vector<HostTensor> tensors) {
  Napi::Array array = Napi::Array::New(env, tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i)
    array.Set(static_cast<uint32_t>(i), from_tensor(env, std::move(tensors[i])));
  return array;
}

void FlatEncodings::append(const std::vector<Encoding>& encodings) {
  for (const Encoding& encoding : encodings) {
    if (input_ids.size() + encoding.input_ids.size() > std::numeric_limits<int32_t>::max())
      throw Error(ErrorCode::kINVALID_ARGUMENT, "one batch holds at most 2^31 - 1 tokens; pass fewer texts");
    input_ids.insert(input_ids.end(), encoding.input_ids.begin(), encoding.input_ids.end());
    token_type_ids.insert(token_type_ids.end(), encoding.token_type_ids.begin(), encoding.token_type_ids.end());
    offsets.insert(offsets.end(), encoding.offsets.begin(), encoding.offsets.end());
    sequence_ids.insert(sequence_ids.end(), encoding.sequence_ids.begin(), encoding.sequence_ids.end());
    truncated_tokens.push_back(static_cast<int32_t>(encoding.truncated_tokens));
    cu_tokens.push_back(static_cast<int32_t>(input_ids.size()));
  }
  cu_encodings.push_back(static_cast<int32_t>(truncated_tokens.size()));
}

Napi::Value from_encodings(Napi::Env env, FlatEncodings encodings, bool offsets) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("inputIds", from_int32(env, std::move(encodings.input_ids)));
  object.Set("tokenTypeIds", from_int32(env, std::move(encodings.token_type_ids)));
  object.Set("sequenceIds", typed_array<Napi::Int8Array>(env, std::move(encodings.sequence_ids)));
  object.Set("offsets", offsets ? from_int32(env, std::move(encodings.offsets)) : env.Null());
  object.Set("truncatedTokens", from_int32(env, std::move(encodings.truncated_tokens)));
  object.Set("cuTokens", from_int32(env, std::move(encodings.cu_tokens)));
  object.Set("cuEncodings", from_int32(env, std::move(encodings.cu_encodings)));
  return object;
}

}  // namespace deberta::addon
