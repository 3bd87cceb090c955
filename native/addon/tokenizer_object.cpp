#include "addon/tokenizer_object.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/convert.h"
#include "addon/env_data.h"
#include "addon/errors.h"
#include "tokenizer/encode_batch.h"
#include "tokenizer/tokenizer_cache.h"

namespace deberta::addon {

namespace {

struct TextPair {
  std::u16string text;
  std::optional<std::u16string> pair;
};

std::vector<Encoding> encode_one(const Tokenizer& tokenizer, const TextPair& input, const EncodeOptions& options) {
  if (!input.pair) return tokenizer.encode(input.text, nullptr, options);
  const std::u16string_view pair = *input.pair;
  return tokenizer.encode(input.text, &pair, options);
}

TextPair to_text_pair(const Napi::Value& text, const Napi::Value& pair) {
  TextPair input{to_utf16(text, "text"), std::nullopt};
  if (!pair.IsUndefined()) input.pair = to_utf16(pair, "textPair");
  return input;
}

// Text per region of the ThreadPool, in UTF-16 units: about 20 ms on two cores, which is what a forward that arrives
// meanwhile waits at most.
constexpr size_t kSliceUnits = 1 << 17;

class EncodeBatchJob final : public Job {
 public:
  EncodeBatchJob(std::shared_ptr<const Tokenizer> tokenizer, std::vector<TextPair> inputs, const EncodeOptions& options,
                 int64_t first_index)
      : tokenizer_(std::move(tokenizer)), inputs_(std::move(inputs)), options_(options), first_index_(first_index) {}

  void run(const CancelToken& cancel) override {
    for (size_t begin = 0; begin < inputs_.size();) {
      size_t end = begin;
      std::vector<TextInput> slice;
      for (size_t units = 0; end < inputs_.size() && units < kSliceUnits; ++end) {
        slice.push_back(view(inputs_[end]));
        units += inputs_[end].text.size() + (inputs_[end].pair ? inputs_[end].pair->size() : 0);
      }
      encode_slice(slice, begin, cancel);
      begin = end;
    }
  }

  Napi::Value result(Napi::Env env) override { return from_encodings(env, std::move(encodings_), options_.offsets); }

 private:
  static TextInput view(const TextPair& input) {
    TextInput input_view{input.text, std::nullopt};
    if (input.pair) input_view.text_pair = *input.pair;
    return input_view;
  }

  void encode_slice(const std::vector<TextInput>& slice, size_t begin, const CancelToken& cancel) {
    try {
      const int threads = compute_lane_busy() ? 1 : 0;
      for (const auto& windows : encode_batch(*tokenizer_, slice, options_, cancel, threads))
        encodings_.append(windows);
    } catch (const Error& error) {
      cancel.check();
      throw_with_index(begin, slice.size());
      throw error;
    }
  }

  /// Finds the first text of the slice that fails, to name its index in the whole batch.
  void throw_with_index(size_t begin, size_t count) const {
    for (size_t i = begin; i < begin + count; ++i) {
      try {
        encode_one(*tokenizer_, inputs_[i], options_);
      } catch (const Error& error) {
        throw Error(error.code(),
                    "text " + std::to_string(first_index_ + static_cast<int64_t>(i)) + ": " + error.what());
      }
    }
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  std::vector<TextPair> inputs_;
  EncodeOptions options_;
  int64_t first_index_;  // of inputs_[0] among the caller's texts
  FlatEncodings encodings_;
};

class LoadTokenizerJob final : public Job {
 public:
  explicit LoadTokenizerJob(std::string directory) : directory_(std::move(directory)) {}

  void run(const CancelToken& cancel) override { tokenizer_ = find_or_load_tokenizer(directory_, cancel); }
  Napi::Value result(Napi::Env env) override { return TokenizerObject::create(env, std::move(tokenizer_)); }

 private:
  std::string directory_;
  std::shared_ptr<const Tokenizer> tokenizer_;
};

}  // namespace

Napi::Function TokenizerObject::define(Napi::Env env) {
  return DefineClass(
      env, "NativeTokenizer",
      {InstanceMethod<&TokenizerObject::encode>("encode"),
       InstanceMethod<&TokenizerObject::encode_batch>("encodeBatch"),
       InstanceMethod<&TokenizerObject::decode>("decode"), InstanceMethod<&TokenizerObject::id_to_token>("idToToken"),
       InstanceMethod<&TokenizerObject::token_to_id>("tokenToId"),
       InstanceMethod<&TokenizerObject::describe>("describe"), InstanceMethod<&TokenizerObject::dispose>("dispose")});
}

Napi::Value TokenizerObject::create(Napi::Env env, std::shared_ptr<const Tokenizer> tokenizer) {
  Napi::Object object = EnvData::of(env).tokenizer_class.New({});
  Unwrap(object)->tokenizer_ = std::move(tokenizer);
  return object;
}

const std::shared_ptr<const Tokenizer>& TokenizerObject::alive() const {
  if (!tokenizer_) throw Error(ErrorCode::kDISPOSED, "the tokenizer was disposed before the call");
  return tokenizer_;
}

Napi::Value TokenizerObject::encode(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto& tokenizer = alive();
    const EncodeOptions options = to_encode_options(info[2]);
    FlatEncodings encodings;
    encodings.append(encode_one(*tokenizer, to_text_pair(info[0], info[1]), options));
    return from_encodings(info.Env(), std::move(encodings), options.offsets);
  });
}

Napi::Value TokenizerObject::encode_batch(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto& tokenizer = alive();
    if (!info[0].IsArray() || !info[1].IsArray())
      throw Error(ErrorCode::kINVALID_ARGUMENT, "expected two arrays, the texts and their pairs");
    const auto texts = info[0].As<Napi::Array>();
    const auto pairs = info[1].As<Napi::Array>();
    std::vector<TextPair> inputs;
    inputs.reserve(texts.Length());
    for (uint32_t i = 0; i < texts.Length(); ++i) {
      Napi::HandleScope scope(info.Env());
      inputs.push_back(to_text_pair(texts.Get(i), pairs.Get(i)));
    }
    auto job = std::make_unique<EncodeBatchJob>(tokenizer, std::move(inputs), to_encode_options(info[2]),
                                                info[3].ToNumber().Int64Value());
    return EnvData::of(info.Env()).jobs.start(info.Env(), Lane::kBackground, std::move(job));
  });
}

Napi::Value TokenizerObject::decode(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const std::vector<int32_t> ids = to_int32_vector(info[0], "ids");
    const std::string text = alive()->decode(ids.data(), ids.size(), info[1].ToBoolean().Value());
    return Napi::String::New(info.Env(), text);
  });
}

Napi::Value TokenizerObject::id_to_token(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Napi::String::New(info.Env(), alive()->id_to_token(info[0].ToNumber().Int32Value()));
  });
}

Napi::Value TokenizerObject::token_to_id(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    return Napi::Number::New(info.Env(), alive()->token_to_id(to_utf8(info[0], "token")));
  });
}

Napi::Value TokenizerObject::describe(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const Napi::Env env = info.Env();
    const auto& tokenizer = alive();
    const SpecialTokens& special = tokenizer->special_tokens();
    Napi::Object ids = Napi::Object::New(env);
    ids.Set("pad", special.pad);
    ids.Set("cls", special.cls);
    ids.Set("sep", special.sep);
    ids.Set("unk", special.unk);
    ids.Set("mask", special.mask);
    Napi::Object object = Napi::Object::New(env);
    object.Set("algorithm", tokenizer->algorithm());
    object.Set("vocabSize", static_cast<double>(tokenizer->vocab_size()));
    object.Set("modelMaxLength", static_cast<double>(tokenizer->model_max_length()));
    object.Set("specialTokens", ids);
    return object;
  });
}

Napi::Value TokenizerObject::dispose(const Napi::CallbackInfo& info) {
  if (tokenizer_) EnvData::of(info.Env()).jobs.release_later(std::const_pointer_cast<Tokenizer>(std::move(tokenizer_)));
  tokenizer_.reset();
  return info.Env().Undefined();
}

Napi::Value load_tokenizer(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    auto job = std::make_unique<LoadTokenizerJob>(to_utf8(info[0], "directory"));
    return EnvData::of(info.Env()).jobs.start(info.Env(), Lane::kBackground, std::move(job));
  });
}

}  // namespace deberta::addon
