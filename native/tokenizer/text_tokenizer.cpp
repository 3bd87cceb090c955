// Text -> UTF-8 -> parts between added tokens -> model -> template; and back.
#include "tokenizer/text_tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "io/utf8.h"
#include "tokenizer/assemble.h"
#include "tokenizer/unicode_classes.h"

namespace deberta {
namespace {

constexpr size_t kIdleBytes = 4u << 20;  // of each buffer that an idle scratch keeps
constexpr size_t kMaxIdle = 64;          // scratches kept

// Malformed bytes become U+FFFD, one each.
std::string well_formed(std::string text) {
  if (is_utf8(text)) return text;
  std::string out;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t length = utf8_sequence_length(rest);
    out.append(length > 0 ? rest.substr(0, length) : std::string_view("\xEF\xBF\xBD"));
    rest.remove_prefix(std::max<size_t>(length, 1));
  }
  return out;
}

AddedTokenScope scope_of(const EncodeOptions& options) {
  if (options.parse_special_tokens) return AddedTokenScope::kAll;
  return options.allow_mask ? AddedTokenScope::kWordsAndMask : AddedTokenScope::kWords;
}

}  // namespace

/// A scratch for the length of one call.
class TextTokenizer::Lease {
 public:
  explicit Lease(const TextTokenizer& owner) : owner_(owner) {
    const std::lock_guard lock(owner_.mutex_);
    if (owner_.idle_.empty()) return;
    scratch_ = std::move(owner_.idle_.back());
    owner_.idle_.pop_back();
  }

  ~Lease() {
    if (!scratch_) return;
    scratch_->transcoder.trim(kIdleBytes);
    scratch_->lower_transcoder.trim(kIdleBytes);
    scratch_->unigram.trim(kIdleBytes);
    scratch_->bpe.trim(kIdleBytes);
    for (TokenStream* stream : {&scratch_->first, &scratch_->second}) {
      if (stream->ids.capacity() * sizeof(int32_t) > kIdleBytes) *stream = {};
    }
    const std::lock_guard lock(owner_.mutex_);
    if (owner_.idle_.size() < kMaxIdle) owner_.idle_.push_back(std::move(scratch_));
  }

  Scratch& get() {
    if (!scratch_) scratch_ = std::make_unique<Scratch>();
    return *scratch_;
  }

 private:
  const TextTokenizer& owner_;
  std::unique_ptr<Scratch> scratch_;
};

std::vector<Encoding> TextTokenizer::encode(std::u16string_view text, const std::u16string_view* text_pair,
                                            const EncodeOptions& options) const {
  Lease lease(*this);
  Scratch& scratch = lease.get();
  const AddedTokenScope scope = scope_of(options);
  scratch.first.clear(options.offsets);
  tokenize(text, scope, scratch, scratch.first);
  if (text_pair != nullptr) {
    scratch.second.clear(options.offsets);
    tokenize(*text_pair, scope, scratch, scratch.second);
  }
  return assemble(scratch.first, text_pair ? &scratch.second : nullptr, parts_.special, parts_.truncate_left, options);
}

void TextTokenizer::tokenize(std::u16string_view text, AddedTokenScope scope, Scratch& scratch,
                             TokenStream& out) const {
  const bool splits = parts_.added.any(scope);
  const Utf8Text utf8 = scratch.transcoder.transcode(text, false, out.want_offsets || parts_.do_lower_case);
  size_t position = 0;
  AddedTokens::Match match;
  while (splits && parts_.added.find({utf8.bytes, utf8.size}, position, scope, match)) {
    encode_segment(utf8, position, match.begin, scratch, out);
    out.ids.push_back(match.id);
    if (out.want_offsets) out.push_offsets(utf8, match.content_begin, match.content_end);
    position = match.end;
  }
  encode_segment(utf8, position, utf8.size, scratch, out);
}

void TextTokenizer::encode_segment(const Utf8Text& text, size_t begin, size_t end, Scratch& scratch,
                                   TokenStream& out) const {
  if (begin == end) return;
  if (parts_.do_lower_case) {
    encode_lower_case(text, begin, end, scratch, out);
  } else {
    encode_words(text, begin, end, scratch, out);
  }
}

// Lower-casing comes after the search for added tokens, which are written in capitals.
void TextTokenizer::encode_lower_case(const Utf8Text& text, size_t begin, size_t end, Scratch& scratch,
                                      TokenStream& out) const {
  const int32_t from = text.utf16_at(begin), to = text.utf16_at(end);
  const auto units = text.units.substr(static_cast<size_t>(from), static_cast<size_t>(to - from));
  const Utf8Text lower = scratch.lower_transcoder.transcode(units, true, out.want_offsets);
  const size_t first_offset = out.offsets.size();
  encode_words(lower, 0, lower.size, scratch, out);
  for (size_t i = first_offset; i < out.offsets.size(); ++i) out.offsets[i] += from;
}

// split_by_punct: every punctuation character, and every run of others, stands alone.
void TextTokenizer::encode_words(const Utf8Text& text, size_t begin, size_t end, Scratch& scratch,
                                 TokenStream& out) const {
  if (!parts_.split_by_punct) {
    encode_model(text, begin, end, scratch, out);
    return;
  }
  size_t word = begin;
  for (size_t i = begin; i < end;) {
    const CodePoint c = decode_utf8(text.bytes + i);
    if (is_split_punctuation(c.value)) {
      if (word < i) encode_model(text, word, i, scratch, out);
      encode_model(text, i, i + c.length, scratch, out);
      word = i + c.length;
    }
    i += c.length;
  }
  if (word < end) encode_model(text, word, end, scratch, out);
}

void TextTokenizer::encode_model(const Utf8Text& text, size_t begin, size_t end, Scratch& scratch,
                                 TokenStream& out) const {
  if (parts_.unigram) {
    parts_.unigram->encode(text, begin, end, scratch.unigram, out);
  } else {
    parts_.bpe->encode(text, begin, end, scratch.bpe, out);
  }
}

std::string TextTokenizer::decode(const int32_t* ids, size_t count, bool skip_special_tokens) const {
  std::string out;
  for (size_t i = 0; i < count; ++i) {
    check_id(ids[i]);
    if (is_special(ids[i])) {
      if (!skip_special_tokens) out += id_to_token(ids[i]);
    } else if (const AddedToken* added = parts_.added.by_id(ids[i])) {
      out += added->content;
    } else if (parts_.unigram) {
      parts_.unigram->append_decoded(ids[i], out);
    } else {
      parts_.bpe->append_decoded(ids[i], out);
    }
  }
  out = well_formed(std::move(out));
  if (parts_.unigram && parts_.unigram->has_dummy_prefix() && !out.empty() && out[0] == ' ') out.erase(0, 1);
  return out;
}

std::string TextTokenizer::id_to_token(int32_t id) const {
  check_id(id);
  if (const AddedToken* added = parts_.added.by_id(id)) return added->content;
  return std::string(parts_.unigram ? parts_.unigram->piece(id) : parts_.bpe->token(id));
}

int32_t TextTokenizer::token_to_id(std::string_view token) const {
  if (const AddedToken* added = parts_.added.by_content(token)) return added->id;
  return parts_.unigram ? parts_.unigram->find(token) : parts_.bpe->find(token);
}

bool TextTokenizer::is_special(int32_t id) const {
  if (const AddedToken* added = parts_.added.by_id(id)) return added->special;
  if (!parts_.unigram || !model_has(id)) return false;
  const PieceType type = parts_.unigram->type(id);
  return type == PieceType::kControl || type == PieceType::kUnknown;
}

int64_t TextTokenizer::vocab_size() const {
  return std::max<int64_t>(model_size(), int64_t{parts_.added.highest_id()} + 1);
}

int64_t TextTokenizer::model_size() const {
  return parts_.unigram ? static_cast<int64_t>(parts_.unigram->size()) : parts_.bpe->size();
}

bool TextTokenizer::model_has(int32_t id) const {
  return id >= 0 && id < model_size() && (parts_.unigram || parts_.bpe->has(id));
}

void TextTokenizer::check_id(int32_t id) const {
  if (model_has(id) || parts_.added.by_id(id) != nullptr) return;
  throw Error(ErrorCode::kINVALID_ARGUMENT,
              "expected the id of a token, below " + std::to_string(vocab_size()) + ", found " + std::to_string(id));
}

}  // namespace deberta
