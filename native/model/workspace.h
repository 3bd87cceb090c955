// Device memory of forward passes: the batch's indices, and the arena of hidden states and everything shorter-lived.
// Kept from call to call.
#pragma once

#include <cstdint>
#include <vector>

#include "model/arena.h"
#include "model/batching.h"
#include "model/config.h"
#include "model/device.h"
#include "ops/tensor.h"

namespace deberta {

/// SelectedRows on the device.
struct DeviceRows {
  const int32_t* rows = nullptr;        // [selected]
  const int32_t* positions = nullptr;   // [selected]
  const int32_t* cu_seqlens = nullptr;  // [num_sequences + 1]
};

/// PackedBatch on the device.
struct DeviceBatch {
  const int32_t* input_ids = nullptr;       // [total_tokens]
  const int32_t* position_ids = nullptr;    // [total_tokens], or null
  const int32_t* token_type_ids = nullptr;  // [total_tokens], or null
  const int32_t* cu_seqlens = nullptr;      // [num_sequences + 1]
  DeviceRows selected;
};

/// Room for the attention maps of one layer, sequence after sequence: [num_heads, n, n] float each.
struct AttentionMaps {
  float* probabilities = nullptr;           // null: no maps are wanted
  const int64_t* device_offsets = nullptr;  // [num_sequences], in elements
  std::vector<int64_t> offsets;             // [num_sequences + 1]
};

class Workspace {
 public:
  explicit Workspace(const Device& device);

  /// Uploads the batch's indices and makes room for its activations; `attentions`: and for the maps of a layer.
  void prepare(const Config& config, const PackedBatch& batch, bool attentions);

  const DeviceBatch& batch() const { return device_batch_; }
  const AttentionMaps& attention_maps() const { return attention_maps_; }
  Matrix hidden() const { return hidden_; }             // [total_tokens, hidden_size]
  Matrix selected_hidden() const { return selected_; }  // [selected rows, hidden_size]
  Arena& arena() { return arena_; }

  /// Any indices on the device, until the next call.
  const int32_t* upload_indices(const std::vector<int32_t>& indices) { return indices_.assign(indices); }

 private:
  void upload(const PackedBatch& batch);
  void prepare_maps(const Config& config, const PackedBatch& batch, bool wanted);

  const Device& device_;
  DeviceBatch device_batch_;
  AttentionMaps attention_maps_;
  Matrix hidden_;
  Matrix selected_;
  Arena arena_;
  DeviceBuffer input_ids_;
  DeviceBuffer position_ids_;
  DeviceBuffer token_type_ids_;
  DeviceBuffer cu_seqlens_;
  DeviceBuffer selected_rows_;
  DeviceBuffer selected_positions_;
  DeviceBuffer selected_cu_seqlens_;
  DeviceBuffer indices_;
  DeviceBuffer probabilities_;
  DeviceBuffer map_offsets_;
};

}  // namespace deberta
