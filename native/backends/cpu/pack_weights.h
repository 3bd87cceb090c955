// Weights in the order in which the inner loop reads them: panels of a few columns, k outermost, in the dtype of the
// checkpoint (float32, or 16 bits widened on the way).
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/context.h"
#include "base/aligned_buffer.h"
#include "ops/tensor.h"

namespace deberta {

/// What a panel is made of.
enum class PanelFormat : uint8_t {
  kStored,    // the values of the checkpoint, as stored, for float32 rows
  kBfloat16,  // pairs of bfloat16 along k, for bfloat16 rows
  kInt8,      // fours of int8 along k, for quantised rows
};

/// One panel of packed weights and where its columns go.
struct Panel {
  const void* data = nullptr;      // [padded k / group][panel_width][group], see MultiplyTile
  const float* bias = nullptr;     // [cols], optional
  int64_t column = 0;              // of the first of its columns, counted over all parts
  int cols = 0;                    // <= panel_width; columns beyond are zero
  DType stored = DType::kFloat32;  // of kStored
};

/// The panels of one or more matrices that share their input; the parts lie side by side, each starting a panel.
struct PanelSet {
  PanelFormat format = PanelFormat::kStored;
  int64_t in_features = 0;
  int64_t row_words = 0;             // of a packed row: in_features in groups, rounded up to whole blocks
  std::vector<Panel> panels;         // of all parts, in order
  std::vector<int> part_begin;       // [parts + 1]: first panel of each part
  std::vector<int64_t> part_column;  // [parts + 1]: first column of each part
  AlignedBuffer weights;
  AlignedBuffer biases;

  // kInt8: weight[n][k] = column_scale[n] * q[n][k] / smooth[k]. `smooth` follows the size of column k of the weights:
  // times it, input values are nearly as large as what they contribute, so a channel that a checkpoint made large (and
  // its weights small) takes few bits from the others.
  AlignedBuffer smooth;        // [in_features] floats
  AlignedBuffer column_scale;  // [panels * panel_width] floats
  AlignedBuffer column_sum;    // [panels * panel_width] int32: sum of q over k

  size_t bytes() const {
    return weights.size() + biases.size() + smooth.size() + column_scale.size() + column_sum.size();
  }
};

/// What one part of a PanelSet is made from.
struct PanelSource {
  WeightView weight;            // [out_features, in_features]
  const float* bias = nullptr;  // [out_features], optional
};

/// Packs every part for the kernels of `context`, on its threads. The parts' weights have the same cols.
/// Throws OUT_OF_MEMORY; INVALID_ARGUMENT where the parts do not fit together or a dtype is not a weight's.
PanelSet pack_panels(const CpuContext& context, const std::vector<PanelSource>& parts,
                     PanelFormat format = PanelFormat::kStored);

/// The longest k that the shared scratch of any context has room for (a whole tile of packed rows).
constexpr int64_t kMaxPackedK = 65536;
constexpr size_t kMinSharedScratch = static_cast<size_t>(kMaxPackedK) * kMaxTileRows * sizeof(float);

/// Words of a packed row of k values in groups of `group`: whole blocks.
inline int64_t packed_words(int64_t k, int group) {
  const int64_t block_values = int64_t{kGroupsPerBlock} * group;
  return (k + block_values - 1) / block_values * kGroupsPerBlock;
}

/// k rounded up to whole blocks of packed rows, for float32 rows.
inline int64_t padded_k(int64_t k) { return packed_words(k, 1); }

}  // namespace deberta
