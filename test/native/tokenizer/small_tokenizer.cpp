// See small_tokenizer.h.
#include "small_tokenizer.h"

#include <doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tokenizer/sentencepiece_model.h"

namespace deberta {

TemporaryFolder::TemporaryFolder() {
  static int count = 0;
  const auto base = std::filesystem::temp_directory_path();
  do {
    path_ = (base / ("deberta-tokenizer-test-" + std::to_string(std::random_device{}()) + std::to_string(count++)))
                .string();
  } while (!std::filesystem::create_directory(path_));
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

void TemporaryFolder::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
}

void TemporaryFolder::copy(const std::string& from_folder, const std::string& name) const {
  write(name, read_bytes(from_folder + "/" + name));
}

std::string read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  REQUIRE_MESSAGE(in.good(), path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string UnigramJson::text() const {
  return R"({"version": "1.0", "added_tokens": [
      {"id": 0, "content": "[PAD]", "special": true}, {"id": 1, "content": "[CLS]", "special": true},
      {"id": 2, "content": "[SEP]", "special": true}],
      "normalizer": )" +
         normalizer + ", \"pre_tokenizer\": " + pre_tokenizer + ", \"post_processor\": " + post_processor +
         R"(, "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": )" + (byte_fallback ? "true" : "false") +
         R"(, "vocab": [["[PAD]", 0], ["[CLS]", 0], ["[SEP]", 0], ["[UNK]", 0])" + (vocab.empty() ? "" : ", ") + vocab +
         "]}}";
}

std::shared_ptr<const Tokenizer> letter_tokenizer() {
  UnigramJson json;
  json.vocab = R"(["▁", -9])";
  for (char c = 'a'; c <= 'z'; ++c) json.vocab += std::string(R"(, [")") + c + R"(", -2])";
  for (char c = 'a'; c <= 'z'; ++c) json.vocab += std::string(R"(, ["▁)") + c + R"(", -2])";
  const TemporaryFolder folder;
  folder.write("tokenizer.json", json.text());
  return Tokenizer::load(folder.path());
}

namespace {

std::string base64(const std::string& bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (i + k < bytes.size() ? static_cast<uint8_t>(bytes[i + k]) : 0u);
    for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string tokenizer_json_of(const std::string& spm_path, bool byte_fallback) {
  const SentencePieceModel model = read_sentencepiece_model(read_bytes(spm_path), spm_path);
  UnigramJson json;
  json.normalizer = R"({"type": "Sequence", "normalizers": [
      {"type": "Strip", "strip_left": true, "strip_right": true},
      {"type": "Precompiled", "precompiled_charsmap": ")" +
                    base64(model.charsmap) + R"("},
      {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]})";
  json.byte_fallback = byte_fallback;
  for (size_t id = 4; id < model.size(); ++id) {
    char score[32];
    std::snprintf(score, sizeof score, "%.9g", static_cast<double>(model.scores[id]));
    json.vocab += (id > 4 ? ", [" : "[") + json_string(model.piece(id)) + ", " + score + "]";
  }
  return json.text();
}

}  // namespace deberta
