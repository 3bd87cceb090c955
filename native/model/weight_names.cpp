#include "model/weight_names.h"

#include <algorithm>

#include "base/error.h"
#include "io/utf8.h"

namespace deberta {

namespace {

constexpr std::string_view kWordEmbeddings = "embeddings.word_embeddings.weight";

/// What stands before the word embeddings, for every tensor that ends like them.
std::vector<std::string> encoder_prefixes(const WeightReader& reader) {
  std::vector<std::string> prefixes;
  for (const auto& [name, tensor] : reader.checkpoint().tensors()) {
    if (!name.ends_with(kWordEmbeddings)) continue;
    std::string prefix = name.substr(0, name.size() - kWordEmbeddings.size());
    if (prefix.empty() || prefix.back() == '.') prefixes.push_back(std::move(prefix));
  }
  return prefixes;
}

std::string first_names(const WeightReader& reader) {
  std::string text;
  int shown = 0;
  for (const auto& [name, tensor] : reader.checkpoint().tensors()) {
    if (shown++ == 3) break;
    text += (text.empty() ? ": " : ", ") + printable(name);
  }
  return text;
}

bool starts_with_any(std::string_view name, const std::vector<std::string_view>& starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return name.starts_with(start); });
}

WeightReader::Names spelled(const WeightReader::Names& module, const char* now, const char* formerly) {
  WeightReader::Names names;
  for (const std::string& base : module) names.push_back(base + now);
  for (const std::string& base : module) names.push_back(base + formerly);
  return names;
}

}  // namespace

WeightReader::Names layer_norm_weight(const WeightReader::Names& module) {
  return spelled(module, ".weight", ".gamma");
}

WeightReader::Names layer_norm_bias(const WeightReader::Names& module) { return spelled(module, ".bias", ".beta"); }

WeightNames::WeightNames(const WeightReader& reader) {
  const std::vector<std::string> prefixes = encoder_prefixes(reader);
  if (prefixes.empty()) {
    throw Error(ErrorCode::kWEIGHT_MISSING,
                reader.checkpoint().file() + ": no tensor is called " + std::string(kWordEmbeddings) +
                    ", alone or behind a prefix such as deberta., model., "
                    "bert_layer.model. or backbone.; it has " +
                    std::to_string(reader.checkpoint().tensors().size()) + " tensors" + first_names(reader));
  }
  if (prefixes.size() > 1) {
    throw Error(ErrorCode::kWEIGHT_UNEXPECTED, reader.checkpoint().file() + ": two encoders, " +
                                                   printable(prefixes[0]) + "* and " + printable(prefixes[1]) +
                                                   "*: which one is meant?");
  }
  prefix_ = prefixes.front();
  // Heads lie beside `deberta`, at the top, or under the encoder's own prefix.
  constexpr std::string_view kModule = "deberta.";
  if (prefix_.ends_with(kModule)) head_prefixes_.push_back(prefix_.substr(0, prefix_.size() - kModule.size()));
  for (const std::string& other : {std::string(), prefix_}) {
    if (std::find(head_prefixes_.begin(), head_prefixes_.end(), other) == head_prefixes_.end()) {
      head_prefixes_.push_back(other);
    }
  }
}

WeightReader::Names WeightNames::layer(int64_t layer, const std::string& name) const {
  return {prefix_ + "encoder.layer." + std::to_string(layer) + "." + name};
}

WeightReader::Names WeightNames::head(const std::string& name) const {
  WeightReader::Names names;
  for (const std::string& prefix : head_prefixes_) names.push_back(prefix + name);
  return names;
}

WeightReader::Names WeightNames::masked_lm(const std::string& name, bool legacy) const {
  const WeightReader::Names ours = head("lm_predictions.lm_head." + name);
  // transformers' first spelling puts dense and LayerNorm into a "transform"; the bias it holds twice.
  WeightReader::Names theirs = head(name == "bias" ? "cls.predictions.bias" : "cls.predictions.transform." + name);
  if (name == "bias") {
    for (std::string& tied : head("cls.predictions.decoder.bias")) theirs.push_back(std::move(tied));
  }
  WeightReader::Names names = legacy ? theirs : ours;
  for (const std::string& other : legacy ? ours : theirs) names.push_back(other);
  return names;
}

Task WeightNames::infer_task(const WeightReader& reader) const {
  if (reader.has(head("qa_outputs.weight"))) return Task::kQuestionAnswering;
  if (reader.has(head("classifier.weight"))) {
    return reader.has(head("pooler.dense.weight")) ? Task::kSequenceClassification : Task::kTokenClassification;
  }
  // microsoft/deberta-v3-*: the discriminator's file also holds a masked-LM head, which nothing trained.
  if (reader.has(head("mask_predictions.classifier.weight"))) return Task::kReplacedTokenDetection;
  if (reader.has(masked_lm("dense.weight", true))) return Task::kMaskedLm;
  return Task::kEncoder;
}

bool WeightNames::is_leftover(const std::string& name, const Config& config, bool any_head) const {
  if (name.ends_with("position_ids")) return true;  // a buffer: 0, 1, 2, ...
  if (name == prefix_ + "embeddings.position_embeddings.weight") return !config.position_biased_input;
  if (!config.has_position_terms()) {  // tables that transformers makes and then does not use
    if (config.relative_attention && name == prefix_ + "encoder.rel_embeddings.weight") return true;
    if (config.norm_rel_ebd && name.starts_with(prefix_ + "encoder.LayerNorm.")) return true;
  }
  if (starts_with_any(name,
                      {"optimizer.", "optimizer_state", "lr_scheduler.", "scheduler.", "loss_fct.", "loss_fn."})) {
    return true;
  }
  if (any_head && !starts_with_any(name, {prefix_ + "embeddings.", prefix_ + "encoder."})) return true;
  const std::string_view text = name;
  return std::any_of(head_prefixes_.begin(), head_prefixes_.end(), [&](const std::string& prefix) {
    return text.starts_with(prefix) &&
           starts_with_any(text.substr(prefix.size()),
                           {"lm_predictions.", "cls.predictions.", "mask_predictions.", "pooler."});
  });
}

}  // namespace deberta
