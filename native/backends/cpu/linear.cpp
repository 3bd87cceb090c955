// y = activation(x W^T + b) + residual on packed panels.
#include "backends/cpu/linear.h"

#include "backends/cpu/gemm_driver.h"
#include "backends/cpu/pack_weights.h"

namespace deberta {

namespace {

struct CpuLinear {
  PanelSet set;
  PackedBytes bytes;
};

const CpuLinear& own(const PackedLinear* packed) { return *reinterpret_cast<const CpuLinear*>(packed); }

}  // namespace

PackedLinear* cpu_pack_linear(OpContext* context, const LinearPart* parts, int num_parts) {
  std::vector<PanelSource> sources;
  for (int p = 0; p < num_parts; ++p) sources.push_back({parts[p].weight, parts[p].bias});
  PanelSet set = pack_panels(as_cpu(context), sources);
  const size_t bytes = set.bytes();
  return reinterpret_cast<PackedLinear*>(new CpuLinear{std::move(set), {as_cpu(context), bytes}});
}

void cpu_free_linear(OpContext*, PackedLinear* packed) { delete reinterpret_cast<CpuLinear*>(packed); }

void cpu_linear(OpContext* op_context, const LinearArgs& args) noexcept {
  CpuContext& context = as_cpu(op_context);
  const PanelSet& set = own(args.weight).set;
  const Panel* panels = set.panels.data() + set.part_begin[static_cast<size_t>(args.part_begin)];
  const int64_t num_panels =
      set.part_begin[static_cast<size_t>(args.part_end)] - set.part_begin[static_cast<size_t>(args.part_begin)];
  GemmOutput out;
  out.data = static_cast<float*>(args.output.data);
  out.stride = args.output.stride;
  out.residual = static_cast<const float*>(args.residual.data);
  out.residual_stride = args.residual.stride;
  out.activation = args.activation;
  out.column_base = set.part_column[static_cast<size_t>(args.part_begin)];
  const float* input = static_cast<const float*>(args.input.data);
  const auto pack_rows = [&](int64_t row, int n, void* packed) {
    context.kernels->pack_rows_f32(input + row * args.input.stride, args.input.stride, n, set.in_features, packed);
  };
  run_gemm_f32(context, args.input.rows, set.in_features, pack_rows,
               StoredPanels{context, panels, num_panels, set.padded_k}, out);
}

}  // namespace deberta
