// Weights in the order in which the inner loop reads them: panels of a few columns, k outermost, in the dtype of the
// checkpoint (float32, or 16 bits widened on the way).
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/context.h"
#include "base/aligned_buffer.h"
#include "ops/tensor.h"

namespace deberta {

/// One panel of packed weights and where its columns go.
struct Panel {
  const void* data = nullptr;   // [padded k][panel_width], see MultiplyTile
  const float* bias = nullptr;  // [cols], optional
  int64_t column = 0;           // of the first of its columns, counted over all parts
  int cols = 0;                 // <= panel_width; columns beyond are zero
  DType stored = DType::kFloat32;
};

/// The panels of one or more matrices that share their input; the parts lie side by side, each starting a panel.
struct PanelSet {
  int64_t in_features = 0;
  int64_t padded_k = 0;              // in_features rounded up to whole blocks
  std::vector<Panel> panels;         // of all parts, in order
  std::vector<int> part_begin;       // [parts + 1]: first panel of each part
  std::vector<int64_t> part_column;  // [parts + 1]: first column of each part
  AlignedBuffer weights;
  AlignedBuffer biases;

  size_t bytes() const { return weights.size() + biases.size(); }
};

/// What one part of a PanelSet is made from.
struct PanelSource {
  WeightView weight;            // [out_features, in_features]
  const float* bias = nullptr;  // [out_features], optional
};

/// Packs every part for the kernels of `context`, on its threads. The parts' weights have the same cols.
/// Throws OUT_OF_MEMORY; INVALID_ARGUMENT where the parts do not fit together or a dtype is not a weight's.
PanelSet pack_panels(const CpuContext& context, const std::vector<PanelSource>& parts);

/// The longest k that the shared scratch of any context has room for (a whole tile of packed rows).
constexpr int64_t kMaxPackedK = 65536;
constexpr size_t kMinSharedScratch = static_cast<size_t>(kMaxPackedK) * kMaxTileRows * sizeof(float);

/// k rounded up to whole blocks of packed rows, for float32 rows.
inline int64_t padded_k(int64_t k) { return (k + kGroupsPerBlock - 1) / kGroupsPerBlock * kGroupsPerBlock; }

}  // namespace deberta
