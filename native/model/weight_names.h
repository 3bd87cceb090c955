// What the tensors of a DeBERTa are called: prefixes of every saver, heads of both code bases, old parameter names, and
// which tensors may be left over. Sources: transformers modeling_deberta(_v2).py, microsoft/DeBERTa, GLiNER; peers'
// checkpoints.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"
#include "model/task.h"
#include "model/weight_reader.h"

namespace deberta {

class WeightNames {
 public:
  /// Finds the prefix of the encoder by its word embeddings. Throws WEIGHT_MISSING where there are none,
  /// WEIGHT_UNEXPECTED where there are two encoders.
  explicit WeightNames(const WeightReader& reader);

  /// "deberta.", "", "model.", "bert_layer.model.", "backbone.", ...
  const std::string& prefix() const { return prefix_; }

  /// A tensor of the encoder.
  WeightReader::Names encoder(const std::string& name) const { return {prefix_ + name}; }

  /// A tensor of layer `layer`, e.g. "attention.self.query_proj.weight".
  WeightReader::Names layer(int64_t layer, const std::string& name) const;

  /// A tensor of a head, beside the encoder or under its prefix.
  WeightReader::Names head(const std::string& name) const;

  /// The masked-LM head: `name` is "dense.weight", "LayerNorm.bias", ... Both spellings, the one that `legacy` prefers
  /// first.
  WeightReader::Names masked_lm(const std::string& name, bool legacy) const;

  /// The head that the tensors show, for configurations without architectures.
  Task infer_task(const WeightReader& reader) const;

  /// Whether a tensor that was not read is a known leftover: buffers, heads and tables of pre-training, tied copies,
  /// training state. `any_head`: everything outside the encoder is (the caller chose the task).
  bool is_leftover(const std::string& name, const Config& config, bool any_head) const;

 private:
  std::string prefix_;
  std::vector<std::string> head_prefixes_;
};

/// The two spellings of LayerNorm parameters: weight and bias, in checkpoints of old TensorFlow descent gamma and beta.
WeightReader::Names layer_norm_weight(const WeightReader::Names& module);
WeightReader::Names layer_norm_bias(const WeightReader::Names& module);

}  // namespace deberta
