// The masked-LM decoder: a matrix product whose weight is the embedding table in its mapping. A panel of table rows is
// transposed into the worker's scratch when a task comes to it, and never kept.
#include <algorithm>

#include "backends/cpu/gemm_driver.h"
#include "backends/cpu/tables.h"

namespace deberta {

void cpu_tied_logits(OpContext* op_context, const TiedLogitsArgs& args) noexcept {
  CpuContext& context = as_cpu(op_context);
  const Microkernels& kernels = *context.kernels;
  const CpuTable& table = own(args.table);
  const int width = kernels.gemm_f32.panel_width;
  const int64_t vocabulary = table.view.rows, k = table.view.cols;
  GemmOutput out;
  out.data = args.output;
  out.stride = vocabulary;

  const auto panel_at = [&](int64_t p, int worker, int64_t) {
    float* rows = reinterpret_cast<float*>(context.scratch(worker));  // [width, k], used for 16-bit tables
    float* packed = rows + width * padded_k(k);
    const int64_t first = p * width;
    const int cols = static_cast<int>(std::min<int64_t>(width, vocabulary - first));
    if (table.view.dtype == DType::kFloat32) {
      kernels.pack_panel_f32(reinterpret_cast<const float*>(table.row(first)), k, cols, k, packed);
    } else {
      for (int c = 0; c < cols; ++c) copy_table_row(kernels, table, first + c, rows + c * k);
      kernels.pack_panel_f32(rows, k, cols, k, packed);
    }
    const float* bias = args.bias == nullptr ? nullptr : args.bias + first;
    return ReadyPanel{{packed, bias, first, cols, DType::kFloat32}, &kernels.gemm_f32};
  };
  const float* input = static_cast<const float*>(args.input.data);
  run_gemm_f32(
      context, args.input.rows, k,
      [&](int64_t row, int n, void* packed) {
        kernels.pack_rows_f32(input + row * args.input.stride, args.input.stride, n, k, packed);
      },
      (vocabulary + width - 1) / width, panel_at, out);
}

}  // namespace deberta
