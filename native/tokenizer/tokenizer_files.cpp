// Order of preference: the original spm.model, which is exact, before conversions of it.
#include "tokenizer/tokenizer_files.h"

#include <algorithm>

#include "io/mapped_file.h"
#include "io/utf8.h"
#include "tokenizer/bpe_files.h"
#include "tokenizer/sentencepiece_model.h"
#include "tokenizer/tokenizer_json.h"

namespace deberta {
namespace {

[[noreturn]] void fail(const std::string& file, const std::string& message) {
  throw Error(ErrorCode::kTOKENIZER_FILE, file + ": " + message);
}

/// Gathers the added tokens of a model.
class Resolver {
 public:
  Resolver(const TokenizerConfig& config, const TokenizerParts& parts) : config_(config), parts_(parts) {}

  void run() {
    tokens_ = config_.added;
    for (const AddedToken& token : tokens_) check_against_model(token);
    for (size_t i = 0; i < kTokenRoles; ++i) add_special(config_.roles[i], static_cast<TokenRole>(i));
    for (const RoleToken& token : config_.additional_special) add_special(token, std::nullopt);
  }

  int32_t id_of(TokenRole role) const { return role_ids_[static_cast<size_t>(role)]; }
  std::vector<AddedToken> take() { return std::move(tokens_); }

 private:
  int64_t model_size() const {
    return parts_.unigram ? static_cast<int64_t>(parts_.unigram->size()) : parts_.bpe->size();
  }

  int32_t find_in_model(std::string_view token) const {
    return parts_.unigram ? parts_.unigram->find(token) : parts_.bpe->find(token);
  }

  void check_against_model(const AddedToken& token) const {
    if (token.id >= model_size() || find_in_model(token.content) == token.id) return;
    if (parts_.bpe && !parts_.bpe->has(token.id)) return;
    const std::string_view piece = parts_.unigram ? parts_.unigram->piece(token.id) : parts_.bpe->token(token.id);
    fail(config_.file, "the added token \"" + printable(token.content) + "\" has the id " + std::to_string(token.id) +
                           ", which is \"" + printable(piece) + "\" in the vocabulary");
  }

  // Makes the token special, with an id from the files, the vocabulary or, for those that may be missing, a new one.
  void add_special(const RoleToken& declared, std::optional<TokenRole> role) {
    auto token = std::find_if(tokens_.begin(), tokens_.end(),
                              [&](const AddedToken& other) { return other.content == declared.content; });
    if (token == tokens_.end()) {
      const int32_t id = id_for(declared.content, role);
      if (id < 0) return;
      AddedToken added;
      added.content = declared.content;
      added.id = id;
      // Hugging Face's class for v1 declares [MASK] so; folders say it in no file.
      added.lstrip = declared.lstrip.value_or(role == TokenRole::kMask && parts_.bpe != nullptr);
      added.rstrip = declared.rstrip.value_or(false);
      added.single_word = declared.single_word.value_or(false);
      token = tokens_.insert(tokens_.end(), std::move(added));
    }
    token->special = true;
    if (role) role_ids_[static_cast<size_t>(*role)] = token->id;
  }

  int32_t id_for(const std::string& content, std::optional<TokenRole> role) const {
    if (const int32_t id = find_in_model(content); id >= 0) return id;
    if (role == TokenRole::kUnk) return -1;  // the model's own stands in
    if (role == TokenRole::kPad) return -1;  // nothing is ever padded
    if (role == TokenRole::kCls || role == TokenRole::kSep) {
      fail(config_.file, "the vocabulary lacks \"" + printable(content) + "\", and no file gives it an id");
    }
    int64_t next = model_size();
    for (const AddedToken& token : tokens_) next = std::max(next, int64_t{token.id} + 1);
    if (next >= INT32_MAX) fail(config_.file, "no id is left for \"" + printable(content) + "\"");
    return static_cast<int32_t>(next);
  }

  const TokenizerConfig& config_;
  const TokenizerParts& parts_;
  std::vector<AddedToken> tokens_;
  int32_t role_ids_[kTokenRoles] = {-1, -1, -1, -1, -1};
};

}  // namespace

void resolve_added_tokens(const TokenizerConfig& config, TokenizerParts& parts) {
  Resolver resolver(config, parts);
  resolver.run();
  parts.special.pad = resolver.id_of(TokenRole::kPad);
  parts.special.cls = resolver.id_of(TokenRole::kCls);
  parts.special.sep = resolver.id_of(TokenRole::kSep);
  parts.special.unk = resolver.id_of(TokenRole::kUnk);
  if (parts.special.unk < 0 && parts.unigram) parts.special.unk = parts.unigram->unk_id();
  parts.special.mask = resolver.id_of(TokenRole::kMask);
  parts.added = AddedTokens(resolver.take(), parts.special.mask, config.file);
}

std::shared_ptr<const Tokenizer> Tokenizer::load(const std::string& directory, TokenizerSource source) {
  const auto path = [&](const char* name) { return join_path(directory, name); };
  const bool automatic = source == TokenizerSource::kAuto;
  TokenizerConfig config = read_tokenizer_config(directory);
  TokenizerParts parts;
  if (automatic && file_exists(path("spm.model"))) {
    const auto file = MappedFile::open(path("spm.model"));
    parts.unigram = std::make_unique<SentencePieceUnigram>(read_sentencepiece_model(file->text(), file->path()));
  } else if (!automatic || file_exists(path("tokenizer.json"))) {
    read_tokenizer_json(path("tokenizer.json"), config, parts);
  } else if (file_exists(path("vocab.json")) && file_exists(path("merges.txt"))) {
    const std::string& unk = config.role(TokenRole::kUnk).content;
    parts.bpe = std::make_unique<ByteLevelBpe>(read_vocab_and_merges(path("vocab.json"), path("merges.txt"), unk),
                                               config.add_prefix_space);
  } else if (file_exists(path("bpe_encoder.bin"))) {
    const std::string& unk = config.role(TokenRole::kUnk).content;
    parts.bpe = std::make_unique<ByteLevelBpe>(read_bpe_encoder(path("bpe_encoder.bin"), unk), config.add_prefix_space);
  } else {
    throw Error(ErrorCode::kFILE_NOT_FOUND,
                directory + ": expected spm.model, tokenizer.json, vocab.json with merges.txt, or bpe_encoder.bin");
  }
  if (parts.unigram) {
    parts.do_lower_case = parts.do_lower_case || config.do_lower_case;
    parts.split_by_punct = parts.split_by_punct || config.split_by_punct;
  } else if (config.split_by_punct) {
    fail(config.file, "split_by_punct is not supported with byte-level BPE");
  }
  parts.truncate_left = config.truncate_left;
  parts.model_max_length = config.model_max_length;
  resolve_added_tokens(config, parts);
  return std::make_shared<TextTokenizer>(std::move(parts));
}

}  // namespace deberta
