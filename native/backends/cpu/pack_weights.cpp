#include "backends/cpu/pack_weights.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.h"

namespace deberta {

namespace {

/// Rows [first, first + cols) of a [.., k] matrix become the columns of one panel; what is beyond stays zero.
/// Bytes are moved, not numbers: Word is an unsigned integer of the value's size.
template <class Word>
void fill_panel(const std::byte* rows, int64_t k, int cols, int width, int64_t padded, Word* panel) {
  std::memset(panel, 0, static_cast<size_t>(padded * width) * sizeof(Word));
  constexpr int64_t kBlock = 64;  // values of a row at a time: 32 rows of them stay in the L1 cache
  for (int64_t begin = 0; begin < k; begin += kBlock) {
    const int64_t end = std::min(k, begin + kBlock);
    for (int c = 0; c < cols; ++c) {
      Word values[kBlock];
      std::memcpy(values, rows + (c * k + begin) * static_cast<int64_t>(sizeof(Word)),
                  static_cast<size_t>(end - begin) * sizeof(Word));
      for (int64_t i = begin; i < end; ++i) panel[i * width + c] = values[i - begin];
    }
  }
}

void check_parts(const std::vector<PanelSource>& parts) {
  for (size_t p = 0; p < parts.size(); ++p) {
    const WeightView& weight = parts[p].weight;
    if (weight.cols != parts[0].weight.cols) {
      throw Error(ErrorCode::kINVALID_ARGUMENT, "linear parts must read the same input: part " + std::to_string(p) +
                                                    " has " + std::to_string(weight.cols) +
                                                    " input features, part 0 has " +
                                                    std::to_string(parts[0].weight.cols));
    }
    if (weight.cols > kMaxPackedK) {
      throw Error(ErrorCode::kUNSUPPORTED_CONFIG, "a linear layer may have at most " + std::to_string(kMaxPackedK) +
                                                      " input features on the CPU, got " + std::to_string(weight.cols));
    }
    if (weight.dtype == DType::kInt8) {
      throw Error(ErrorCode::kINVALID_ARGUMENT,
                  "weights must be float32, float16 or bfloat16: part " + std::to_string(p) + " is int8");
    }
  }
}

}  // namespace

PanelSet pack_panels(const CpuContext& context, const std::vector<PanelSource>& parts) {
  check_parts(parts);
  const int width = context.kernels->gemm_f32.panel_width;
  PanelSet set;
  set.in_features = parts[0].weight.cols;
  set.padded_k = padded_k(set.in_features);

  struct Origin {  // of one panel
    const std::byte* rows;
    size_t offset;  // in `weights`
  };
  std::vector<Origin> origins;
  size_t weight_bytes = 0;
  int64_t column = 0;
  for (const PanelSource& part : parts) {
    set.part_begin.push_back(static_cast<int>(set.panels.size()));
    set.part_column.push_back(column);
    const size_t value_size = dtype_size(part.weight.dtype);
    for (int64_t first = 0; first < part.weight.rows; first += width) {
      const int cols = static_cast<int>(std::min<int64_t>(width, part.weight.rows - first));
      origins.push_back({static_cast<const std::byte*>(part.weight.data) +
                             static_cast<size_t>(first) * static_cast<size_t>(part.weight.cols) * value_size,
                         weight_bytes});
      set.panels.push_back({nullptr, nullptr, column + first, cols, part.weight.dtype});
      weight_bytes += static_cast<size_t>(set.padded_k) * static_cast<size_t>(width) * value_size;
    }
    column += part.weight.rows;
  }
  set.part_begin.push_back(static_cast<int>(set.panels.size()));
  set.part_column.push_back(column);

  set.weights = AlignedBuffer(weight_bytes, "packed weights");
  set.biases = AlignedBuffer(static_cast<size_t>(column) * sizeof(float), "packed biases");
  float* biases = set.biases.as<float>();
  for (size_t p = 0; p < parts.size(); ++p) {
    if (parts[p].bias == nullptr) continue;
    std::memcpy(biases + set.part_column[p], parts[p].bias, static_cast<size_t>(parts[p].weight.rows) * sizeof(float));
    for (int i = set.part_begin[p]; i < set.part_begin[p + 1]; ++i) {
      set.panels[static_cast<size_t>(i)].bias = biases + set.panels[static_cast<size_t>(i)].column;
    }
  }
  context.parallel_for(static_cast<int64_t>(set.panels.size()), [&](int64_t i, int) {
    Panel& panel = set.panels[static_cast<size_t>(i)];
    const Origin& origin = origins[static_cast<size_t>(i)];
    std::byte* data = set.weights.as() + origin.offset;
    panel.data = data;
    if (panel.stored == DType::kFloat32) {
      fill_panel(origin.rows, set.in_features, panel.cols, width, set.padded_k, reinterpret_cast<uint32_t*>(data));
    } else {
      fill_panel(origin.rows, set.in_features, panel.cols, width, set.padded_k, reinterpret_cast<uint16_t*>(data));
    }
  });
  return set;
}

}  // namespace deberta
