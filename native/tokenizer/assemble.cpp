// The template is the same in every generation: token types are 0 up to the first [SEP], 1 after it.
#include "tokenizer/assemble.h"

namespace deberta {
namespace {

class EncodingWriter {
 public:
  EncodingWriter(size_t length, bool offsets) {
    encoding_.input_ids.reserve(length);
    encoding_.token_type_ids.reserve(length);
    encoding_.sequence_ids.reserve(length);
    if (offsets) encoding_.offsets.reserve(length * 2);
    offsets_ = offsets;
  }

  void special(int32_t id, int32_t type) {
    encoding_.input_ids.push_back(id);
    encoding_.token_type_ids.push_back(type);
    encoding_.sequence_ids.push_back(-1);
    if (offsets_) encoding_.offsets.insert(encoding_.offsets.end(), 2, 0);
  }

  void text(const TokenStream& tokens, TokenRange range, int8_t sequence) {
    const auto begin = tokens.ids.begin() + static_cast<std::ptrdiff_t>(range.begin);
    encoding_.input_ids.insert(encoding_.input_ids.end(), begin, begin + static_cast<std::ptrdiff_t>(range.size()));
    encoding_.token_type_ids.insert(encoding_.token_type_ids.end(), range.size(), sequence);
    encoding_.sequence_ids.insert(encoding_.sequence_ids.end(), range.size(), sequence);
    if (!offsets_) return;
    const auto offset = tokens.offsets.begin() + static_cast<std::ptrdiff_t>(range.begin * 2);
    encoding_.offsets.insert(encoding_.offsets.end(), offset, offset + static_cast<std::ptrdiff_t>(range.size() * 2));
  }

  Encoding take() { return std::move(encoding_); }

 private:
  Encoding encoding_;
  bool offsets_;
};

}  // namespace

std::vector<Encoding> assemble(const TokenStream& first, const TokenStream* second, const SpecialTokens& special,
                               bool truncate_left, const EncodeOptions& options) {
  const size_t specials = !options.add_special_tokens ? 0 : second ? 3 : 2;
  const auto second_size = second ? std::optional<size_t>(second->ids.size()) : std::nullopt;
  const std::vector<Window> windows = plan_windows(first.ids.size(), second_size, specials, truncate_left, options);
  std::vector<Encoding> encodings;
  encodings.reserve(windows.size());
  for (const Window& window : windows) {
    EncodingWriter writer(window.first.size() + window.second.size() + specials, options.offsets);
    if (specials > 0) writer.special(special.cls, 0);
    writer.text(first, window.first, 0);
    if (specials > 0) writer.special(special.sep, 0);
    if (second) {
      writer.text(*second, window.second, 1);
      if (specials > 0) writer.special(special.sep, 1);
    }
    encodings.push_back(writer.take());
  }
  if (!options.return_windows) {
    const Window& kept = windows.front();
    encodings.front().truncated_tokens =
        static_cast<int64_t>(first.ids.size() + second_size.value_or(0) - kept.first.size() - kept.second.size());
  }
  return encodings;
}

}  // namespace deberta
