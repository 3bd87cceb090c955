// What the small JSON files beside a vocabulary say: tokenizer_config.json, special_tokens_map.json, added_tokens.json.
// Which ids tokens without one get, and whether they agree with the vocabulary, is tokenizer_files.cpp's.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/json_reader.h"
#include "tokenizer/added_tokens.h"

namespace deberta {

/// The roles in the order in which Hugging Face gives ids to the tokens that a vocabulary lacks.
enum class TokenRole : uint8_t { kUnk, kSep, kPad, kCls, kMask };
inline constexpr size_t kTokenRoles = 5;

struct RoleToken {
  std::string content;
  std::optional<bool> lstrip, rstrip, single_word;  // where a file says so
};

struct TokenizerConfig {
  std::string file = "tokenizer_config.json";  // what errors call it
  bool do_lower_case = false;
  bool split_by_punct = false;
  bool add_prefix_space = false;  // of byte-level BPE
  bool truncate_left = false;     // truncation_side
  int64_t model_max_length = 0;   // 0: none stated
  RoleToken roles[kTokenRoles];   // by TokenRole; "[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]" unless a file says else
  std::vector<AddedToken> added;  // with ids
  std::vector<RoleToken> additional_special;  // without

  RoleToken& role(TokenRole role) { return roles[static_cast<size_t>(role)]; }
  const RoleToken& role(TokenRole role) const { return roles[static_cast<size_t>(role)]; }

  /// Records a token with its id; of two declarations the first one's flags stay. Throws TOKENIZER_FILE when they
  /// differ in id.
  void add(AddedToken token);
};

/// Reads whichever of the files are in the folder. Throws TOKENIZER_FILE.
TokenizerConfig read_tokenizer_config(const std::string& directory);

/// One entry of added_tokens_decoder or of tokenizer.json's added_tokens, but for the id.
AddedToken parse_added_token(const JsonDocument& document, const JsonObject& object);

/// How every JSON file of a tokenizer is read.
JsonOptions tokenizer_json_options();

}  // namespace deberta
