// Every kernel of one instruction set and the table of them. An ISA file includes its vec_*.h, names the height of its
// tiles, kTileRows, in namespace deberta, and then includes this.

#include "backends/cpu/isa/microkernels.h"
//
#include "backends/cpu/isa/gemm.inl.h"
#include "backends/cpu/isa/math.inl.h"
//
#include "backends/cpu/isa/epilogue.inl.h"
//
#include "backends/cpu/isa/rows.inl.h"
//
#include "backends/cpu/isa/attention.inl.h"

namespace deberta {
namespace {

constexpr Microkernels make_microkernels(const char* name) {
  Microkernels table{};
  table.name = name;
  table.vector_width = kWidth;
  table.gemm_f32 = gemm_kernels<PanelF32>();
  table.gemm_f32_f16 = gemm_kernels<PanelF16>();
  table.gemm_f32_bf16 = gemm_kernels<PanelBf16>();
  table.pack_rows_f32 = pack_rows_f32;
  table.pack_panel_f32 = pack_panel_f32;
  table.finish_tile = finish_tile;
  table.add_layer_norm_row = add_layer_norm_row;
  table.widen_f16 = widen_f16;
  table.widen_bf16 = widen_bf16;
  table.add = add_rows;
  table.exp = exp_array;
  table.activate = activate_array;
  table.gelu_rough = gelu_rough_array;
  table.attention = kAttentionKernels;
  return table;
}

}  // namespace
}  // namespace deberta
