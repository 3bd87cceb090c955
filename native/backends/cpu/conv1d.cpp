// Conv1d as one matrix product per group: a row is the window of kernel_size tokens around one token, zeros beyond the
// ends of its sequence. Windows are written straight into packed rows and never stand in memory as a matrix.
#include "backends/cpu/conv1d.h"

#include <cstring>
#include <string>
#include <vector>

#include "backends/cpu/gemm_driver.h"
#include "backends/cpu/pack_weights.h"

namespace deberta {

namespace {

struct CpuConv {
  int kernel_size;
  int64_t group_channels;  // in and out
  PanelSet set;            // one part per group; k = [kernel_size][group_channels]
  PackedBytes bytes;
};

const CpuConv& own(const PackedConv* packed) { return *reinterpret_cast<const CpuConv*>(packed); }

/// torch's [out][in / groups][kernel] as [out][kernel][in / groups]: a window is then a run of whole token rows.
std::vector<std::byte> tokens_outermost(const ConvWeight& conv, int64_t in) {
  const size_t size = dtype_size(conv.weight.dtype);
  const auto* from = static_cast<const std::byte*>(conv.weight.data);
  std::vector<std::byte> to(static_cast<size_t>(conv.channels * in * conv.kernel_size) * size);
  for (int64_t o = 0; o < conv.channels; ++o) {
    for (int64_t c = 0; c < in; ++c) {
      for (int64_t t = 0; t < conv.kernel_size; ++t) {
        const int64_t source = (o * in + c) * conv.kernel_size + t, target = (o * conv.kernel_size + t) * in + c;
        std::memcpy(to.data() + static_cast<size_t>(target) * size, from + static_cast<size_t>(source) * size, size);
      }
    }
  }
  return to;
}

/// Writes `count` values of a row's k axis, from `k` on, into packed rows (see MultiplyTile); null: zeros.
void put(float* packed, int tile_rows, int row, int64_t k, const float* values, int64_t count) {
  while (count > 0) {
    const int64_t at = k % kGroupsPerBlock, run = std::min(count, kGroupsPerBlock - at);
    float* to = packed + (k / kGroupsPerBlock * tile_rows + row) * kGroupsPerBlock + at;
    if (values == nullptr) {
      std::memset(to, 0, static_cast<size_t>(run) * sizeof(float));
    } else {
      std::memcpy(to, values, static_cast<size_t>(run) * sizeof(float));
      values += run;
    }
    k += run;
    count -= run;
  }
}

/// Packs the windows of tokens of one group.
struct WindowPacker {
  const ConvArgs& args;
  const CpuConv& conv;
  const float* channels;  // of the group, in row 0

  void operator()(const PackedRows& part, int) const {
    const int32_t* ends = std::upper_bound(args.cu_seqlens, args.cu_seqlens + args.num_sequences + 1,
                                           static_cast<int32_t>(part.first_row));
    for (int r = 0; r < part.rows; ++r) {
      const int64_t token = part.first_row + r;
      while (token >= *ends) ++ends;
      pack_window(token, ends[-1], ends[0], part.tile_rows, r, reinterpret_cast<float*>(part.packed));
    }
  }

  void pack_window(int64_t token, int64_t begin, int64_t end, int tile_rows, int r, float* packed) const {
    const int64_t width = conv.group_channels;
    int64_t k = 0;
    for (int t = 0; t < conv.kernel_size; ++t, k += width) {
      const int64_t source = token + t - conv.kernel_size / 2;
      const bool inside = source >= begin && source < end;
      put(packed, tile_rows, r, k, inside ? channels + source * args.input.stride : nullptr, width);
    }
    put(packed, tile_rows, r, k, nullptr, conv.set.row_words - k);
  }
};

}  // namespace

PackedConv* cpu_pack_conv(OpContext* context, const ConvWeight& weight) {
  const int64_t channels = weight.channels / weight.groups, k = channels * weight.kernel_size;
  if (k > kMaxPackedK) {
    throw Error(ErrorCode::kUNSUPPORTED_CONFIG, "a convolution window may have at most " + std::to_string(kMaxPackedK) +
                                                    " values on the CPU, got " + std::to_string(k));
  }
  const std::vector<std::byte> reordered = tokens_outermost(weight, channels);
  std::vector<PanelSource> groups;
  for (int64_t g = 0; g < weight.groups; ++g) {
    const size_t offset = static_cast<size_t>(g * channels * k) * dtype_size(weight.weight.dtype);
    groups.push_back({{reordered.data() + offset, weight.weight.dtype, channels, k},
                      weight.bias == nullptr ? nullptr : weight.bias + g * channels});
  }
  PanelSet set = pack_panels(as_cpu(context), groups);
  const size_t bytes = set.bytes();
  return reinterpret_cast<PackedConv*>(
      new CpuConv{weight.kernel_size, channels, std::move(set), {as_cpu(context), bytes}});
}

void cpu_free_conv(OpContext*, PackedConv* packed) { delete reinterpret_cast<CpuConv*>(packed); }

void cpu_conv1d(OpContext* op_context, const ConvArgs& args) noexcept {
  CpuContext& context = as_cpu(op_context);
  const CpuConv& conv = own(args.weight);
  const PanelSet& set = conv.set;
  GemmOutput out;
  out.data = static_cast<float*>(args.output.data);
  out.stride = args.output.stride;
  out.activation = args.activation;
  for (size_t g = 0; g + 1 < set.part_begin.size(); ++g) {
    const Panel* panels = set.panels.data() + set.part_begin[g];
    const float* channels = static_cast<const float*>(args.input.data) + static_cast<int64_t>(g) * conv.group_channels;
    const StoredPanels stored{context, panels, set.part_begin[g + 1] - set.part_begin[g], set.row_words};
    const RowFormat format = {&context.kernels->gemm_f32, set.in_features, set.row_words, 0};
    run_gemm(context, args.input.rows, format, WindowPacker{args, conv, channels}, stored, out);
  }
}

}  // namespace deberta
