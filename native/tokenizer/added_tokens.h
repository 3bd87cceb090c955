// Tokens beside the model's vocabulary, and the special ones in it: how they are found in text. Text is split at them
// before the model sees it. Where they are declared is tokenizer_config.h's.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/piece_trie.h"

namespace deberta {

struct AddedToken {
  std::string content;
  int32_t id = -1;
  bool special = false;
  bool lstrip = false, rstrip = false;  // also eats the white space before, after it
  bool single_word = false;             // only where no letter, mark, number or _ is next to it
};

/// Which added tokens a text may contain.
enum class AddedTokenScope : uint8_t { kWords, kWordsAndMask, kAll };

class AddedTokens {
 public:
  AddedTokens() = default;

  /// `mask_id`: what kWordsAndMask adds to the tokens that are not special. Throws TOKENIZER_FILE for equal contents or
  /// ids, empty contents, and contents of more than 1024 bytes.
  AddedTokens(std::vector<AddedToken> tokens, int32_t mask_id, const std::string& file);

  struct Match {
    size_t begin, end;                  // bytes of the text that the token takes, with eaten white space
    size_t content_begin, content_end;  // bytes of the token itself
    int32_t id;
  };

  /// The first token at or after byte `from` of well-formed UTF-8, the longest of those that start there. False: none.
  bool find(std::string_view text, size_t from, AddedTokenScope scope, Match& match) const;

  bool any(AddedTokenScope scope) const { return !tries_[static_cast<size_t>(scope)].empty(); }

  /// The token of that id or content, or nullptr.
  const AddedToken* by_id(int32_t id) const;
  const AddedToken* by_content(std::string_view content) const;

  int32_t highest_id() const { return tokens_.empty() ? -1 : by_id_.rbegin()->first; }

 private:
  std::vector<AddedToken> tokens_;
  std::map<int32_t, size_t> by_id_;  // index in tokens_
  PieceTrie tries_[3];               // by scope: content to index in tokens_
};

}  // namespace deberta
