#include "backends/cpu/layer_norm.h"

#include <algorithm>

#include "backends/cpu/context.h"

namespace deberta {

void cpu_add_layer_norm(OpContext* op_context, const AddLayerNormArgs& args) noexcept {
  const CpuContext& context = as_cpu(op_context);
  const Microkernels& kernels = *context.kernels;
  constexpr int64_t kRowsPerTask = 16;
  const float* input = static_cast<const float*>(args.input.data);
  const float* residual = static_cast<const float*>(args.residual.data);
  float* output = static_cast<float*>(args.output.data);
  const int64_t rows = args.input.rows, features = args.input.cols;
  const int64_t tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  context.parallel_for_work(tasks, rows * features * 8, [&](int64_t task, int) {
    const int64_t end = std::min(rows, (task + 1) * kRowsPerTask);
    for (int64_t r = task * kRowsPerTask; r < end; ++r) {
      kernels.add_layer_norm_row(input + r * args.input.stride,
                                 residual == nullptr ? nullptr : residual + r * args.residual.stride, args.weight,
                                 args.bias, args.eps, features, output + r * args.output.stride);
    }
  });
}

}  // namespace deberta
