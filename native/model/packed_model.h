// A checkpoint as a backend computes with it: packed weights, and the position tables that depend on weights alone.
// Made once, never written again, shared by every instance of the checkpoint (model_cache.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "model/config.h"
#include "model/device.h"
#include "model/relative_position.h"
#include "model/task.h"
#include "model/weights.h"

namespace deberta {

struct PackedLayerNorm {
  DeviceBuffer weight;  // [features] float
  DeviceBuffer bias;    // [features] float
};

struct PackedLayer {
  explicit PackedLayer(const Device& device)
      : attention_layer_norm{DeviceBuffer(device), DeviceBuffer(device)},
        output_layer_norm{DeviceBuffer(device), DeviceBuffer(device)},
        head_logits_proj(device),
        head_weights_proj(device) {}

  LinearHandle qkv;           // three parts, q, k, v: [3 * all_head_size, hidden_size]
  PositionsHandle positions;  // null: no position terms
  LinearHandle attention_output;
  PackedLayerNorm attention_layer_norm;
  LinearHandle intermediate;
  LinearHandle output;
  PackedLayerNorm output_layer_norm;
  DeviceBuffer head_logits_proj;   // talking heads: [num_heads, num_heads] float, or empty
  DeviceBuffer head_weights_proj;  // the same
};

struct PackedModel {
  PackedModel(const Backend& backend, const ContextOptions& options);

  Device device;  // what packed the weights; forward passes have contexts of their own
  Config config;
  std::string config_json;  // the file's text
  Task task = Task::kEncoder;
  std::string emd_obstacle;  // why the enhanced mask decoder cannot run; empty: it can
  Weights weights;           // host memory that packed weights look into
  Checkpoint checkpoint;     // the files, most of `weights`

  TableHandle word_embeddings;
  TableHandle position_embeddings;    // or null
  TableHandle token_type_embeddings;  // or null
  LinearHandle embed_proj;            // or null
  PackedLayerNorm embedding_layer_norm;
  ConvHandle conv;  // or null
  PackedLayerNorm conv_layer_norm;
  std::vector<PackedLayer> layers;  // [num_hidden_layers]

  // The head: see HostHead.
  LinearHandle head_dense;
  PackedLayerNorm head_layer_norm;
  LinearHandle head_classifier;
  TableHandle head_decoder;  // null: word_embeddings
  DeviceBuffer head_bias;

  const PackedTable* decoder_table() const { return head_decoder ? head_decoder.get() : word_embeddings.get(); }
};

/// Reads and packs the checkpoint in `directory`. `task`: which head to run, or nothing for the one it carries.
/// Throws what Model::load throws.
std::shared_ptr<const PackedModel> load_packed_model(const Backend& backend, const ContextOptions& options,
                                                     const std::string& directory, std::optional<Task> task,
                                                     const CancelToken& cancel);

}  // namespace deberta
