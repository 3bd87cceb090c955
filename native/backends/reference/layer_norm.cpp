// y = (z - mean(z)) / sqrt(var(z) + eps) * weight + bias with z = input + residual, biased variance, two passes.
#include <cmath>

#include "backends/reference/functions.h"
#include "backends/reference/values.h"

namespace deberta::reference {

void add_layer_norm(OpContext*, const AddLayerNormArgs& args) noexcept {
  const int64_t features = args.input.cols;
  for (int64_t r = 0; r < args.input.rows; ++r) {
    const float* input = row(args.input, r);
    const float* residual = args.residual.data ? row(args.residual, r) : nullptr;
    auto z = [&](int64_t i) { return residual ? static_cast<double>(input[i]) + residual[i] : input[i]; };

    double mean = 0.0;
    for (int64_t i = 0; i < features; ++i) mean += z(i);
    mean /= static_cast<double>(features);

    double variance = 0.0;
    for (int64_t i = 0; i < features; ++i) variance += (z(i) - mean) * (z(i) - mean);
    variance /= static_cast<double>(features);

    const double inverse = 1.0 / std::sqrt(variance + args.eps);
    float* output = row(args.output, r);  // may be `input` or `residual`: each element is read before it is written
    for (int64_t i = 0; i < features; ++i) {
      output[i] = static_cast<float>((z(i) - mean) * inverse * args.weight[i] + args.bias[i]);
    }
  }
}

}  // namespace deberta::reference
