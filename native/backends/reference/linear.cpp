// y = activation(x W^T + b) + residual, with W read from the checkpoint as it lies.
#include <utility>

#include "backends/reference/context.h"
#include "backends/reference/functions.h"
#include "backends/reference/values.h"

namespace deberta::reference {

PackedLinear* pack_linear(OpContext* context, const LinearPart* parts, int num_parts) {
  std::vector<Linear::Part> kept;
  size_t bytes = 0;
  for (int p = 0; p < num_parts; ++p) {
    const WeightView& weight = parts[p].weight;
    const float* bias = parts[p].bias;
    kept.push_back({weight, bias ? std::vector<float>(bias, bias + weight.rows) : std::vector<float>()});
    bytes += kept.back().bias.size() * sizeof(float);
  }
  return reinterpret_cast<PackedLinear*>(new Linear{std::move(kept), {context, bytes}});
}

void free_linear(OpContext*, PackedLinear* packed) { delete reinterpret_cast<Linear*>(packed); }

void linear(OpContext*, const LinearArgs& args) noexcept {
  const Linear& packed = own(args.weight);
  int64_t column = 0;  // of `output`: the parts lie side by side
  for (int p = args.part_begin; p < args.part_end; ++p) {
    const Linear::Part& part = packed.parts[p];
    for (int64_t o = 0; o < part.weight.rows; ++o, ++column) {
      for (int64_t r = 0; r < args.input.rows; ++r) {
        const double bias = part.bias.empty() ? 0.0 : part.bias[o];
        const double residual = args.residual.data ? row(args.residual, r)[column] : 0.0;
        const double sum = dot_row(part.weight, o, row(args.input, r)) + bias;
        row(args.output, r)[column] = static_cast<float>(activate(args.activation, sum) + residual);
      }
    }
  }
}

}  // namespace deberta::reference
