// The second seam: what the CPU backend needs from an instruction set, as one table of plain functions called per tile.
// The drivers (linear.cpp, attention.cpp, ...) hold the loops over tiles and threads; the tables hold the arithmetic.
// Included by ISA files: C headers only.
#pragma once

#include <stdint.h>

#include "backends/cpu/isa/attention_microkernels.h"
#include "ops/activation_kind.h"

namespace deberta {

constexpr int kMaxTileRows = 14;     // the tallest tile of any instruction set
constexpr int kMaxPanelWidth = 32;   // the widest panel of any instruction set
constexpr int kGroupsPerBlock = 16;  // k groups (32-bit words) of a row that lie together in packed rows

/// Memory to bring into the L2 cache while a tile is multiplied: `step` bytes per k group from `begin` on.
struct Ahead {
  const void* begin = nullptr;
  int64_t step = 0;  // <= 128
};

/// Multiplies packed rows by one panel of packed weights. A group is the unit of the inner loop, 32 bits of a row: one
/// float, two bfloat16 or four int8 values along k.
///   rows:    [groups / 16][tile rows][16] words, so every broadcast reads [pointer + constant]
///   panel:   [groups][panel_width][group] values, k ascending
///   product: [tile rows][panel_width], row stride `stride`
/// Each product is summed over k in ascending order whatever the number of rows: results do not depend on the tiling.
using MultiplyTile = void (*)(int64_t groups, const void* rows, const void* panel, float* product, int64_t stride,
                              Ahead ahead);

struct GemmKernels {
  int tile_rows = 0;                             // tiles have 1 .. tile_rows rows
  int panel_width = 0;                           // columns of a panel
  int group = 1;                                 // values of a row in one group
  MultiplyTile multiply[kMaxTileRows + 1] = {};  // [rows of the tile]; entry 0 unused
};

/// What happens to a product on its way out: output = activation(product + bias) + residual.
struct Epilogue {
  int rows = 0;
  int cols = 0;                    // may be less than the panel's width
  const float* product = nullptr;  // [rows, kMaxPanelWidth]
  const float* bias = nullptr;     // [cols], optional
  Activation activation = Activation::kNone;
  const float* residual = nullptr;  // [rows, cols], row stride residual_stride; optional; may be `output`
  int64_t residual_stride = 0;
  float* output = nullptr;  // [rows, cols], row stride output_stride
  int64_t output_stride = 0;
};

struct Microkernels {
  const char* name = nullptr;  // "scalar", "avx2", "avx512", ...
  int vector_width = 0;        // floats

  // Matrix products in float32, by the dtype the weights are stored in (16-bit ones are widened on the way, exactly).
  GemmKernels gemm_f32;
  GemmKernels gemm_f32_f16;
  GemmKernels gemm_f32_bf16;
  GemmKernels gemm_bf16;  // both operands bfloat16, float32 sums; tile_rows == 0: not here
  GemmKernels gemm_int8;

  // rows [n, k] row-major with `stride` -> packed rows of gemm_f32, k padded with zeros to a whole block; n <=
  // tile_rows.
  void (*pack_rows_f32)(const float* rows, int64_t stride, int n, int64_t k, void* packed);
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

  AttentionMicrokernels attention;
};

// One per file isa/<name>.cpp: the only symbols those files export.
extern const Microkernels kScalarMicrokernels;
extern const Microkernels kAvx2Microkernels;
extern const Microkernels kAvx512Microkernels;

}  // namespace deberta
