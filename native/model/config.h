// What config.json says about a DeBERTa of any generation, checked and brought to one form. Fields keep their names of
// config.json. Reading only: what the weights must look like is in weights.h, which head they carry in task.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ops/activation.h"

namespace deberta {

struct Config {
  std::string model_type;  // "deberta" (v1) or "deberta-v2" (v2, v3, mDeBERTa)

  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t embedding_size = 0;  // of the tables; hidden_size where config.json does not say
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  int64_t attention_head_size = 0;  // hidden_size / num_attention_heads where config.json does not say
  int64_t intermediate_size = 0;
  int64_t max_position_embeddings = 0;
  int64_t type_vocab_size = 0;  // 0: no token types
  double layer_norm_eps = 0;
  Activation hidden_act = Activation::kNone;

  bool position_biased_input = false;  // absolute positions are added to the input
  bool relative_attention = false;
  bool c2p = false;                    // of pos_att_type; counts for the scale even without relative_attention
  bool p2c = false;                    // of pos_att_type
  int64_t max_relative_positions = 0;  // resolved: >= 1
  int64_t position_buckets = 0;        // 0: no logarithmic buckets
  bool norm_rel_ebd = false;           // "layer_norm": rel_embeddings pass through encoder.LayerNorm
  bool share_att_key = false;          // the content projections project positions too
  bool talking_head = false;           // v1

  int64_t conv_kernel_size = 0;  // 0: no convolution
  int64_t conv_groups = 1;
  Activation conv_act = Activation::kTanh;

  int64_t pooler_hidden_size = 0;
  Activation pooler_hidden_act = Activation::kGelu;
  bool tie_word_embeddings = true;
  bool legacy = true;  // of two masked-LM heads in one file, true means cls.predictions.*

  std::vector<std::string> architectures;
  std::string problem_type;         // "" where config.json does not say
  int64_t num_labels = 0;           // 0: config.json does not say, the classifier's rows do
  std::vector<std::string> labels;  // [num_labels]

  // For training; inference has no dropout.
  double hidden_dropout_prob = 0;
  double attention_probs_dropout_prob = 0;
  double pooler_dropout = 0;
  std::optional<double> cls_dropout;  // absent: hidden_dropout_prob
  double initializer_range = 0;
  int64_t pad_token_id = 0;

  /// Half the rows of rel_embeddings.
  int64_t att_span() const { return position_buckets > 0 ? position_buckets : max_relative_positions; }

  /// Width of the projections q, k and v.
  int64_t all_head_size() const { return num_attention_heads * attention_head_size; }

  /// Whether attention scores have position terms.
  bool has_position_terms() const { return relative_attention && (c2p || p2c); }

  /// 1 / sqrt(attention_head_size * (1 + [c2p] + [p2c])).
  float attention_scale() const;
};

/// Reads the text of a config.json; `file` is what errors call it. Throws MODEL_FILE for malformed JSON and values of
/// the wrong kind, UNSUPPORTED_CONFIG (naming the key) for what is unknown, contradictory or out of range.
Config parse_config(const std::string& text, const std::string& file);

/// "LABEL_0", "LABEL_1", ...: what Hugging Face calls labels without names.
std::vector<std::string> default_labels(int64_t num_labels);

}  // namespace deberta
