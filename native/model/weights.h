// The weights of any checkpoint in one layout, still on the host and mostly still in the file: v1's packed in_proj is
// split, names and prefixes are gone. packed_model.h turns this into what a backend computes with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/checkpoint.h"
#include "model/config.h"
#include "model/task.h"
#include "model/weight_reader.h"

namespace deberta {

struct HostLinear {
  HostMatrix weight;        // [out_features, in_features]
  std::vector<float> bias;  // [out_features], or empty: none
};

struct HostLayerNorm {
  std::vector<float> weight;  // [features]
  std::vector<float> bias;    // [features]
};

struct HostConv {
  HostMatrix weight;        // [hidden_size, hidden_size / conv_groups * conv_kernel_size]
  std::vector<float> bias;  // [hidden_size]
  HostLayerNorm layer_norm;
};

struct HostLayer {
  HostLinear query;  // [all_head_size, hidden_size], as the next two
  HostLinear key;
  HostLinear value;
  HostLinear pos_key;                    // [all_head_size, hidden_size]; absent without c2p and when keys are shared
  HostLinear pos_query;                  // the same for p2c
  std::vector<float> head_logits_proj;   // [num_attention_heads, num_attention_heads], or empty
  std::vector<float> head_weights_proj;  // the same
  HostLinear attention_output;           // [hidden_size, all_head_size]
  HostLayerNorm attention_layer_norm;
  HostLinear intermediate;  // [intermediate_size, hidden_size]
  HostLinear output;        // [hidden_size, intermediate_size]
  HostLayerNorm output_layer_norm;
};

/// Of these each task has its own: see heads/.
struct HostHead {
  HostLinear dense;          // pooler.dense [hidden_size, hidden_size]; of masked LMs [embedding_size, hidden_size]
  HostLayerNorm layer_norm;  // masked LM [embedding_size], replaced-token detection [hidden_size]
  HostLinear classifier;     // [num_labels, hidden_size]: classifier, qa_outputs
  HostMatrix decoder;        // masked LM with untied embeddings: [vocab_size, embedding_size]; absent: word_embeddings
  std::vector<float> bias;   // masked LM: [vocab_size]
};

struct Weights {
  HostMatrix word_embeddings;      // [vocab_size, embedding_size]
  HostMatrix position_embeddings;  // [max_position_embeddings, embedding_size]; for the input or for the EMD, or absent
  HostMatrix token_type_embeddings;  // [type_vocab_size, embedding_size], or absent
  HostLinear embed_proj;             // [hidden_size, embedding_size], where the two differ
  HostLayerNorm embedding_layer_norm;
  std::vector<float> rel_embeddings;            // [2 * att_span, hidden_size], or empty
  std::optional<HostLayerNorm> rel_layer_norm;  // norm_rel_ebd
  std::optional<HostConv> conv;
  std::vector<HostLayer> layers;  // [num_hidden_layers]
  HostHead head;

  int64_t num_parameters = 0;  // elements read
  int64_t bytes = 0;           // of the checkpoint's tensors that were read
  std::vector<std::string> ignored_tensors;
};

/// Which head a checkpoint carries: `wanted` if given, else what config.json's architectures say, else what the tensors
/// show. Throws UNSUPPORTED_CONFIG.
Task resolve_task(const Config& config, const Checkpoint& checkpoint, std::optional<Task> wanted);

/// Reads everything that `task` needs. Completes `config` with what only the weights say: num_labels and labels.
/// `lenient`: tensors of other heads may be there (the caller chose the task).
/// Throws WEIGHT_MISSING, WEIGHT_SHAPE, WEIGHT_UNEXPECTED, UNSUPPORTED_CONFIG, OUT_OF_MEMORY.
Weights read_weights(const Checkpoint& checkpoint, Task task, bool lenient, Config& config);

}  // namespace deberta
