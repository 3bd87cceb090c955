// Tokenizers made on the spot: folders that go away, and small vocabularies written as tokenizer.json.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace deberta {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& bytes) const;
  void copy(const std::string& from_folder, const std::string& name) const;

 private:
  std::string path_;
};

std::string read_bytes(const std::string& path);

/// Parts of a tokenizer.json for Unigram, as Hugging Face's converter writes them.
struct UnigramJson {
  std::string normalizer = R"({"type": "Sequence", "normalizers": [
      {"type": "Strip", "strip_left": true, "strip_right": true},
      {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]})";
  std::string pre_tokenizer = R"({"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true})";
  std::string post_processor = "null";
  std::string vocab;  // entries ["piece", score], comma-separated, after [PAD] [CLS] [SEP] [UNK]
  bool byte_fallback = false;

  std::string text() const;
};

/// A tokenizer of single letters: ids 4.. are "▁", "a", "b", ... "z", "▁a", "▁b", ... "▁z". So each letter is a token.
std::shared_ptr<const Tokenizer> letter_tokenizer();

/// The spm.model of a folder as a tokenizer.json.
std::string tokenizer_json_of(const std::string& spm_path, bool byte_fallback);

}  // namespace deberta
