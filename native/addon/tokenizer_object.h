// The native half of lib/tokenizer.ts: a shared, immutable Tokenizer behind a JavaScript object.
#pragma once

#include <napi.h>

#include <memory>

#include "tokenizer/tokenizer.h"

namespace deberta::addon {

class TokenizerObject final : public Napi::ObjectWrap<TokenizerObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Value create(Napi::Env env, std::shared_ptr<const Tokenizer> tokenizer);

  /// As good as disposed, until create() has filled it.
  explicit TokenizerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<TokenizerObject>(info) {}

 private:
  Napi::Value encode(const Napi::CallbackInfo& info);        // (text, textPair | undefined, options) => FlatEncodings
  Napi::Value encode_batch(const Napi::CallbackInfo& info);  // (texts, textPairs, options, firstIndex) => id of a job
  Napi::Value decode(const Napi::CallbackInfo& info);        // (ids, skipSpecialTokens) => string
  Napi::Value id_to_token(const Napi::CallbackInfo& info);   // (id) => string
  Napi::Value token_to_id(const Napi::CallbackInfo& info);   // (token) => number, -1: none
  Napi::Value describe(
      const Napi::CallbackInfo& info);  // () => { algorithm, vocabSize, modelMaxLength, specialTokens }
  Napi::Value dispose(const Napi::CallbackInfo& info);

  const std::shared_ptr<const Tokenizer>& alive() const;  // throws DISPOSED

  std::shared_ptr<const Tokenizer> tokenizer_;
};

/// loadTokenizer(directory) => id of a job, the object.
Napi::Value load_tokenizer(const Napi::CallbackInfo& info);

}  // namespace deberta::addon
