// The masked-LM decoder: a matrix product whose weight is the embedding table in its mapping. A panel of table rows is
// transposed into the worker's scratch when a task comes to it, and never kept.
#include <algorithm>

#include "backends/cpu/gemm_driver.h"
#include "backends/cpu/tables.h"

namespace deberta {

namespace {

/// Panels made on the fly; the same members as StoredPanels.
struct TablePanels {
  const CpuContext& context;
  const CpuTable& table;
  const float* bias;  // [vocabulary], optional
  int64_t count;

  int width() const { return context.kernels->gemm_f32.panel_width; }
  int64_t k() const { return table.view.cols; }
  int cols(int64_t i) const { return static_cast<int>(std::min<int64_t>(width(), table.view.rows - i * width())); }

  void finish(const Epilogue& epilogue, const std::byte*, int64_t) const { context.kernels->finish_tile(epilogue); }

  PanelMemory memory(int64_t i) const {
    return {table.row(i * width()), cols(i) * k() * static_cast<int64_t>(dtype_size(table.view.dtype))};
  }

  ReadyPanel ready(int64_t i, int worker, int64_t) const {
    const Microkernels& kernels = *context.kernels;
    const int64_t first = i * width();
    float* rows =
        reinterpret_cast<float*>(context.scratch(worker) + kProductBytes);  // [width, k], used for 16-bit tables
    float* packed = rows + width() * padded_k(k());
    if (table.view.dtype == DType::kFloat32) {
      kernels.pack_panel_f32(reinterpret_cast<const float*>(table.row(first)), k(), cols(i), k(), packed);
    } else {
      for (int c = 0; c < cols(i); ++c) copy_table_row(kernels, table, first + c, rows + c * k());
      kernels.pack_panel_f32(rows, k(), cols(i), k(), packed);
    }
    return {{packed, bias == nullptr ? nullptr : bias + first, first, cols(i), DType::kFloat32},
            &kernels.gemm_f32,
            width() * kWordBytes};
  }
};

}  // namespace

void cpu_tied_logits(OpContext* op_context, const TiedLogitsArgs& args) noexcept {
  CpuContext& context = as_cpu(op_context);
  const CpuTable& table = own(args.table);
  const int64_t vocabulary = table.view.rows;
  GemmOutput out;
  out.data = args.output;
  out.stride = vocabulary;
  const int64_t panels = ceil_div(vocabulary, context.kernels->gemm_f32.panel_width);
  run_gemm_f32(context, args.input, TablePanels{context, table, args.bias, panels}, out);
}

}  // namespace deberta
