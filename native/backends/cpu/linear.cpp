// y = activation(x W^T + b) + residual on packed panels, in the compute dtype of the context.
#include "backends/cpu/linear.h"

#include <algorithm>
#include <span>

#include "backends/cpu/gemm_driver.h"
#include "backends/cpu/pack_weights.h"

namespace deberta {

namespace {

struct CpuLinear {
  PanelSet set;
  PackedBytes bytes;
};

const CpuLinear& own(const PackedLinear* packed) { return *reinterpret_cast<const CpuLinear*>(packed); }

/// The narrowest format that the compute dtype, the instruction set and every part allow.
PanelFormat choose_format(const CpuContext& context, std::span<const LinearPart> parts) {
  size_t bytes = dtype_size(context.compute_dtype);  // of a value in the products
  for (const LinearPart& part : parts) bytes = std::max(bytes, dtype_size(part.narrowest));
  if (bytes == 1) return PanelFormat::kInt8;
  const bool has_bf16 = context.kernels->bf16.gemm.tile_rows > 0;
  return bytes == 2 && has_bf16 ? PanelFormat::kBfloat16 : PanelFormat::kStored;
}

/// The panels of the parts that one call computes.
struct PartRange {
  const PanelSet& set;
  int64_t first;  // panel
  int64_t count;
};

/// Panels that are used as they lie: bfloat16, or int8 (whose integer products become floats in `finish`).
struct DotPanels {
  const Microkernels& kernels;
  const GemmKernels& gemm;
  PartRange range;
  int64_t count;

  PanelMemory memory(int64_t i) const {
    return {static_cast<const std::byte*>(panel(i).data), range.set.row_words * gemm.panel_width * kWordBytes};
  }
  ReadyPanel ready(int64_t i, int, int64_t) const { return {panel(i), &gemm, gemm.panel_width * kWordBytes}; }

  void finish(const Epilogue& epilogue, const std::byte* infos, int64_t i) const {
    if (range.set.format != PanelFormat::kInt8) return kernels.finish_tile(epilogue);
    const int64_t column = (range.first + i) * gemm.panel_width;
    kernels.int8.finish_tile(
        epilogue, {reinterpret_cast<const QuantizedRow*>(infos), panel(i).data,
                   range.set.column_scale.as<float>() + column, range.set.column_sum.as<int32_t>() + column});
  }

  const Panel& panel(int64_t i) const { return range.set.panels[static_cast<size_t>(range.first + i)]; }
};

void run_stored(CpuContext& context, const ConstMatrix& input, const PartRange& range, const GemmOutput& out) {
  run_gemm_f32(context, input,
               StoredPanels{context, range.set.panels.data() + range.first, range.count, range.set.row_words}, out);
}

void run_bf16(CpuContext& context, const ConstMatrix& input, const PartRange& range, const GemmOutput& out) {
  const Bf16Microkernels& kernels = context.kernels->bf16;
  const float* rows = static_cast<const float*>(input.data);
  const auto pack_rows = [&](const PackedRows& part, int) {
    kernels.pack_rows(rows + part.first_row * input.stride, input.stride, part.rows, part.tile_rows,
                      range.set.in_features, part.packed);
  };
  const RowFormat format = {&kernels.gemm, range.set.in_features, range.set.row_words, 0};
  run_gemm(context, input.rows, format, pack_rows, DotPanels{*context.kernels, kernels.gemm, range, range.count}, out);
}

void run_int8(CpuContext& context, const ConstMatrix& input, const PartRange& range, const GemmOutput& out) {
  const Int8Microkernels& kernels = context.kernels->int8;
  const float* rows = static_cast<const float*>(input.data);
  const float* smooth = range.set.smooth.as<float>();
  const auto pack_rows = [&](const PackedRows& part, int worker) {
    kernels.pack_rows(rows + part.first_row * input.stride, input.stride, part.rows, part.tile_rows,
                      range.set.in_features, smooth, reinterpret_cast<float*>(context.scratch(worker)), part.packed,
                      reinterpret_cast<QuantizedRow*>(part.infos));
  };
  const RowFormat format = {&kernels.gemm, range.set.in_features, range.set.row_words, sizeof(QuantizedRow)};
  run_gemm(context, input.rows, format, pack_rows, DotPanels{*context.kernels, kernels.gemm, range, range.count}, out);
}

}  // namespace

PackedLinear* cpu_pack_linear(OpContext* op_context, const LinearPart* parts, int num_parts) {
  const CpuContext& context = as_cpu(op_context);
  const std::span all(parts, static_cast<size_t>(num_parts));
  std::vector<PanelSource> sources;
  for (const LinearPart& part : all) sources.push_back({part.weight, part.bias});
  PanelSet set = pack_panels(context, sources, choose_format(context, all));
  const size_t bytes = set.bytes();
  return reinterpret_cast<PackedLinear*>(new CpuLinear{std::move(set), {context, bytes}});
}

void cpu_free_linear(OpContext*, PackedLinear* packed) { delete reinterpret_cast<CpuLinear*>(packed); }

void cpu_linear(OpContext* op_context, const LinearArgs& args) noexcept {
  CpuContext& context = as_cpu(op_context);
  const PanelSet& set = own(args.weight).set;
  const auto begin = static_cast<size_t>(args.part_begin), end = static_cast<size_t>(args.part_end);
  GemmOutput out;
  out.data = static_cast<float*>(args.output.data);
  out.stride = args.output.stride;
  out.residual = static_cast<const float*>(args.residual.data);
  out.residual_stride = args.residual.stride;
  out.activation = args.activation;
  out.rough = set.format != PanelFormat::kStored;
  out.column_base = set.part_column[begin];
  const PartRange range = {set, set.part_begin[begin], set.part_begin[end] - set.part_begin[begin]};
  switch (set.format) {
    case PanelFormat::kStored:
      return run_stored(context, args.input, range, out);
    case PanelFormat::kBfloat16:
      return run_bf16(context, args.input, range, out);
    case PanelFormat::kInt8:
      return run_int8(context, args.input, range, out);
  }
}

}  // namespace deberta
