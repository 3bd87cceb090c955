// The second seam: what the CPU backend needs from an instruction set, as one table of plain functions called per tile.
// The drivers (linear.cpp, attention.cpp, ...) hold the loops over tiles and threads; the tables hold the arithmetic.
// Included by ISA files: C headers only.
#pragma once

#include <stdint.h>

#include "backends/cpu/isa/attention_microkernels.h"
#include "ops/activation_kind.h"

namespace deberta {

constexpr int kMaxTileRows = 32;     // the tallest tile of any instruction set
constexpr int kMaxPanelWidth = 32;   // the widest panel of any instruction set
constexpr int kGroupsPerBlock = 16;  // k groups (32-bit words) of a row that lie together in packed rows
constexpr int kGroupsPerFetch = 4;   // k groups between two looks at what to fetch ahead

/// Memory to bring into the L2 cache from `begin` on: `step` bytes per kGroupsPerFetch while a tile is multiplied, or
/// per row while it is finished.
struct Ahead {
  const void* begin = nullptr;
  int64_t step = 0;  // <= 64 * kGroupsPerFetch while a tile is multiplied
};

/// Multiplies packed rows by one panel of packed weights. A group is the unit of the inner loop, 32 bits of a row: one
/// float, two bfloat16 or four int8 values along k.
///   rows:    [groups / 16][tile rows][16] words, so every broadcast reads [pointer + constant]
///   panel:   [groups][panel_width][group] values, k ascending
///   product: [tile rows][panel_width], row stride `stride`
/// With `resume` the sums go on from what `product` holds, so a long k can be cut where the cache wants it. Each
/// product is summed over k in ascending order whatever the number of rows and cuts: results do not depend on the
/// tiling.
using MultiplyTile = void (*)(int64_t groups, const void* rows, const void* panel, float* product, int64_t stride,
                              bool resume, Ahead ahead);

struct GemmKernels {
  int tile_rows = 0;                             // tiles have 1 .. tile_rows rows
  int panel_width = 0;                           // columns of a panel
  int group = 1;                                 // values of a row in one group
  bool finish_together = false;                  // products are read back late: after all tiles of a row block
  MultiplyTile multiply[kMaxTileRows + 1] = {};  // [rows of the tile]; entry 0 unused
};

/// What happens to a product on its way out: output = activation(product + bias) + residual.
struct Epilogue {
  int rows = 0;
  int cols = 0;                    // may be less than the panel's width
  const float* product = nullptr;  // [rows, kMaxPanelWidth]
  const float* bias = nullptr;     // [cols], optional
  Activation activation = Activation::kNone;
  bool rough = false;               // gelu may be off by 6e-5: operands have 16 or 8 bits
  const float* residual = nullptr;  // [rows, cols], row stride residual_stride; optional; may be `output`
  int64_t residual_stride = 0;
  float* output = nullptr;  // [rows, cols], row stride output_stride
  int64_t output_stride = 0;
  Ahead ahead;  // fetched meanwhile
};

/// Products of bfloat16 by bfloat16 with float32 sums.
struct Bf16Microkernels {
  GemmKernels gemm;  // tile_rows == 0: not on this instruction set
  // As Microkernels::pack_rows_f32, rounded to bfloat16.
  void (*pack_rows)(const float* rows, int64_t stride, int n, int tile_rows, int64_t k, void* packed);
};

constexpr int kMaxOutliers = 8;  // of one row

/// How one row was quantised: value = scale * (q - zero), but for the outliers, which are not in q.
struct QuantizedRow {
  float scale;
  int32_t zero;  // in [0, 255]
  int32_t num_outliers;
  int32_t outlier_k[kMaxOutliers];
  float outlier_value[kMaxOutliers];  // with `smooth` applied
};

/// What makes floats of a tile of integer sums.
struct Int8Scales {
  const QuantizedRow* rows;   // of the tile
  const void* panel;          // that the tile was multiplied by, for the columns of outliers
  const float* column_scale;  // [panel_width]
  const int32_t* column_sum;  // [panel_width]
};

/// Products of unsigned by signed bytes with exact int32 sums.
struct Int8Microkernels {
  GemmKernels gemm;  // tile_rows == 0: not on this instruction set; `multiply` gives int32 in place of floats
  // rows[n, k] * smooth[k] -> packed bytes and how each row was quantised; scratch: room for k rounded up to whole
  // blocks. The rows are part of a tile of `tile_rows`, and `packed` is where the first of them goes.
  void (*pack_rows)(const float* rows, int64_t stride, int n, int tile_rows, int64_t k, const float* smooth,
                    float* scratch, void* packed, QuantizedRow* infos);
  // As Microkernels::finish_tile, with int32 sums in place of floats in epilogue.product.
  void (*finish_tile)(const Epilogue& epilogue, const Int8Scales& scales);
};

/// Intel's matrix tiles read the same packed rows and panels.
struct AmxMicrokernels {
  GemmKernels bf16;
  GemmKernels int8;
};

struct Microkernels {
  const char* name = nullptr;  // "scalar", "avx2", "avx512", ...
  int vector_width = 0;        // floats

  // Matrix products in float32, by the dtype the weights are stored in (16-bit ones are widened on the way, exactly).
  GemmKernels gemm_f32;
  GemmKernels gemm_f32_f16;
  GemmKernels gemm_f32_bf16;
  Bf16Microkernels bf16;
  Int8Microkernels int8;

  // rows [n, k] row-major with `stride` -> packed rows of gemm_f32, k padded with zeros to a whole block. The rows are
  // part of a tile of `tile_rows`, and `packed` is where the first of them goes.
  void (*pack_rows_f32)(const float* rows, int64_t stride, int n, int tile_rows, int64_t k, void* packed);
  // rows [n, k] row-major with `stride`, n <= panel_width -> one panel of gemm_f32, zeros beyond n and up to whole
  // blocks.
  void (*pack_panel_f32)(const float* rows, int64_t stride, int n, int64_t k, float* panel);
  void (*finish_tile)(const Epilogue& epilogue);

  // output = (input + residual - mean) / sqrt(variance + eps) * weight + bias, one row; residual optional.
  void (*add_layer_norm_row)(const float* input, const float* residual, const float* weight, const float* bias,
                             float eps, int64_t features, float* output);

  void (*widen_f16)(const uint16_t* from, int64_t count, float* to);
  void (*widen_bf16)(const uint16_t* from, int64_t count, float* to);
  void (*add)(const float* from, int64_t count, float* to);  // to += from

  // Element-wise functions of math.inl.h, for tests of their error bounds.
  void (*exp)(const float* from, int64_t count, float* to);
  void (*activate)(Activation activation, const float* from, int64_t count, float* to);
  void (*gelu_rough)(const float* from, int64_t count, float* to);

  AttentionMicrokernels attention;
};

// One per file isa/<name>.cpp: the only symbols those files export.
extern const Microkernels kScalarMicrokernels;
extern const Microkernels kAvx2Microkernels;
extern const Microkernels kAvx512Microkernels;
extern const Bf16Microkernels kAvx512Bf16Microkernels;
extern const Int8Microkernels kAvx512VnniMicrokernels;
extern const Int8Microkernels kAvx2VnniMicrokernels;
extern const AmxMicrokernels kAmxMicrokernels;

}  // namespace deberta
