// Weights from the checkpoint's bytes to device memory: uploaded as they are, converted there.
#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "backends/cuda/errors.h"
#include "backends/cuda/packed.h"
#include "backends/cuda/rows.h"
#include "backends/cuda/types.h"
#include "base/half.h"

namespace deberta::cuda {

namespace {

constexpr char kPack[] = "pack weights";

std::atomic<size_t> neighbour_bytes{0};

/// Device memory that is freed on the way out unless it was handed on.
class DeviceBuffer {
 public:
  DeviceBuffer(size_t bytes, const char* what) : data_(allocate_device(bytes, what)) {}
  ~DeviceBuffer() { cudaFree(data_); }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;
  void* get() const { return data_; }
  void* release() { return std::exchange(data_, nullptr); }

 private:
  void* data_;
};

/// Uploads a host matrix into rows of `pitch` elements of the compute dtype, zeros after the last column.
void pack_matrix(Context& context, const WeightView& view, void* packed, int64_t pitch) {
  const size_t bytes = static_cast<size_t>(view.rows) * view.cols * dtype_size(view.dtype);
  const DeviceBuffer raw(bytes, kPack);
  check(kPack, cudaMemcpyAsync(raw.get(), view.data, bytes, cudaMemcpyHostToDevice, context.stream));
  copy_rows(context, kPack, raw.get(), view.dtype, packed, context.dtype,
            {view.rows, view.cols, view.cols, pitch, pitch});
  context.synchronize();  // the buffers around it may go now
}

unsigned char* row_address(Context& context, void* data, int64_t row, int64_t pitch) {
  return static_cast<unsigned char*>(data) + row * pitch * dtype_size(context.dtype);
}

/// Parts one below the other; null bias where no part has one.
Linear pack_parts(Context& context, const LinearPart* parts, int num_parts) {
  Linear linear;
  linear.in_features = parts[0].weight.cols;
  linear.pitch = padded(linear.in_features);
  linear.part_offsets.push_back(0);
  bool any_bias = false;
  for (int p = 0; p < num_parts; ++p) {
    linear.part_offsets.push_back(linear.part_offsets.back() + parts[p].weight.rows);
    any_bias = any_bias || parts[p].bias;
  }
  const int64_t outputs = linear.part_offsets.back();
  const size_t weight_bytes = outputs * linear.pitch * dtype_size(context.dtype);
  DeviceBuffer weight(weight_bytes, "weights of a linear layer");
  for (int p = 0; p < num_parts; ++p) {
    pack_matrix(context, parts[p].weight, row_address(context, weight.get(), linear.part_offsets[p], linear.pitch),
                linear.pitch);
  }
  if (any_bias) {
    std::vector<float> bias(outputs, 0.0f);
    for (int p = 0; p < num_parts; ++p) {
      if (parts[p].bias) std::copy_n(parts[p].bias, parts[p].weight.rows, bias.begin() + linear.part_offsets[p]);
    }
    DeviceBuffer device(outputs * sizeof(float), "bias of a linear layer");
    check(kPack,
          cudaMemcpyAsync(device.get(), bias.data(), outputs * sizeof(float), cudaMemcpyHostToDevice, context.stream));
    context.synchronize();  // the buffers around it may go now
    linear.bias = static_cast<float*>(device.release());
  }
  linear.weight = weight.release();
  linear.bytes = weight_bytes + (any_bias ? outputs * sizeof(float) : 0);
  return linear;
}

void free_buffers(const Linear& linear) {
  cudaFree(linear.weight);
  cudaFree(linear.bias);
}

float read_element(const WeightView& view, int64_t i) {
  const auto* bytes = static_cast<const unsigned char*>(view.data) + i * dtype_size(view.dtype);
  if (view.dtype == DType::kFloat32) {
    float value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return view.dtype == DType::kBFloat16 ? float_from_bfloat16(bits) : float_from_half(bits);
}

/// A convolution's weight [out, in, tap] as that of a linear layer over neighbours, [out, tap, in], for one group.
std::vector<float> taps_first(const ConvWeight& weight, int64_t first_output, int64_t outputs, int64_t inputs) {
  std::vector<float> result(outputs * inputs * weight.kernel_size);
  for (int64_t o = 0; o < outputs; ++o) {
    for (int64_t i = 0; i < inputs; ++i) {
      for (int tap = 0; tap < weight.kernel_size; ++tap) {
        const int64_t from = ((first_output + o) * inputs + i) * weight.kernel_size + tap;
        result[(o * weight.kernel_size + tap) * inputs + i] = read_element(weight.weight, from);
      }
    }
  }
  return result;
}

}  // namespace

size_t widest_neighbours() { return neighbour_bytes.load(); }

PackedLinear* pack_linear(OpContext* context, const LinearPart* parts, int num_parts) {
  own(context).use_device();
  auto linear = std::make_unique<Linear>(pack_parts(own(context), parts, num_parts));
  own(context).packed_bytes += linear->bytes;
  return reinterpret_cast<PackedLinear*>(linear.release());
}

PackedConv* pack_conv(OpContext* context, const ConvWeight& weight) {
  Context& self = own(context);
  self.use_device();
  auto conv = std::make_unique<Conv>();
  conv->channels = weight.channels;
  conv->kernel_size = weight.kernel_size;
  const int64_t group_channels = weight.channels / weight.groups;
  const int64_t inputs = group_channels * weight.kernel_size;
  for (int g = 0; g < weight.groups; ++g) {
    const std::vector<float> taps = taps_first(weight, g * group_channels, group_channels, group_channels);
    const LinearPart part{{taps.data(), DType::kFloat32, group_channels, inputs},
                          weight.bias ? weight.bias + g * group_channels : nullptr};
    conv->groups.push_back(pack_parts(self, &part, 1));
    conv->bytes += conv->groups.back().bytes;
  }
  // Each context has its own neighbours: this one makes room now, others that share the handle when they reserve.
  const size_t bytes = Conv::kChunkTokens * padded(inputs) * dtype_size(self.dtype);
  size_t widest = neighbour_bytes.load();
  while (widest < bytes && !neighbour_bytes.compare_exchange_weak(widest, bytes)) {
  }
  self.neighbours.reserve(bytes, "neighbours of a convolution");
  self.packed_bytes += conv->bytes;
  return reinterpret_cast<PackedConv*>(conv.release());
}

PackedTable* pack_table(OpContext* context, const WeightView& view) {
  Context& self = own(context);
  self.use_device();
  auto table = std::make_unique<Table>();
  table->rows = view.rows;
  table->cols = view.cols;
  table->pitch = padded(view.cols);
  table->bytes = table->rows * table->pitch * dtype_size(self.dtype);
  DeviceBuffer data(table->bytes, "embedding table");
  pack_matrix(self, view, data.get(), table->pitch);
  table->data = data.release();
  self.packed_bytes += table->bytes;
  return reinterpret_cast<PackedTable*>(table.release());
}

PackedPositions* pack_positions(OpContext* context, const PositionsArgs& args) {
  Context& self = own(context);
  self.use_device();
  const int32_t reach = args.index.max_distance;
  const int32_t* row_of = args.index.rows + reach;  // [-reach, reach]
  auto positions = std::make_unique<Positions>();
  positions->high = reach;
  positions->low = -reach;
  while (positions->high > -reach && row_of[positions->high - 1] == row_of[reach]) --positions->high;
  while (positions->low < reach && row_of[positions->low + 1] == row_of[-reach]) ++positions->low;
  positions->top_distance = std::max(positions->high, positions->low) + Positions::kMargin;
  const int32_t bottom = std::min(positions->high, positions->low) - Positions::kMargin;
  positions->rows = int64_t{positions->top_distance} - bottom + 1;
  positions->width = int64_t{args.num_heads} * args.head_dim;

  std::vector<int32_t> rows(positions->rows);
  for (int64_t r = 0; r < positions->rows; ++r) {
    const auto distance = static_cast<int32_t>(positions->top_distance - r);
    rows[r] = row_of[std::clamp(distance, -reach, reach)];
  }
  const DeviceBuffer device_rows(rows.size() * sizeof(int32_t), kPack);
  check(kPack, cudaMemcpyAsync(device_rows.get(), rows.data(), rows.size() * sizeof(int32_t), cudaMemcpyHostToDevice,
                               self.stream));
  const size_t table_bytes = positions->rows * positions->width * dtype_size(self.dtype);
  const auto expand = [&](const ConstMatrix& matrix) -> void* {
    if (!matrix.data) return nullptr;
    DeviceBuffer table(table_bytes, "relative position table");
    gather_sum(self, kPack, {matrix.data, static_cast<const int32_t*>(device_rows.get()), matrix.stride},
               {nullptr, nullptr, 0}, {nullptr, nullptr, 0},
               {table.get(), positions->rows, positions->width, positions->width});
    self.synchronize();
    positions->bytes += table_bytes;
    return table.release();
  };
  positions->pos_key = expand(args.pos_key);
  positions->pos_query = expand(args.pos_query);
  self.synchronize();
  self.packed_bytes += positions->bytes;
  return reinterpret_cast<PackedPositions*>(positions.release());
}

namespace {

/// The device is done with everything this context launched before memory that it may read goes away.
void before_free(OpContext* context) {
  Context& self = own(context);
  self.use_device();
  self.fail(self.failed ? LaunchFailure() : self.commands->flush());
  cudaStreamSynchronize(self.stream);
}

}  // namespace

void free_linear(OpContext* context, PackedLinear* packed) {
  if (!packed) return;
  before_free(context);
  own(context).packed_bytes -= own(packed).bytes;
  free_buffers(own(packed));
  delete &own(packed);
}

void free_conv(OpContext* context, PackedConv* packed) {
  if (!packed) return;
  before_free(context);
  own(context).packed_bytes -= own(packed).bytes;
  for (const Linear& group : own(packed).groups) free_buffers(group);
  delete &own(packed);
}

void free_table(OpContext* context, PackedTable* packed) {
  if (!packed) return;
  before_free(context);
  own(context).packed_bytes -= own(packed).bytes;
  cudaFree(own(packed).data);
  delete &own(packed);
}

void free_positions(OpContext* context, PackedPositions* packed) {
  if (!packed) return;
  before_free(context);
  own(context).packed_bytes -= own(packed).bytes;
  cudaFree(own(packed).pos_key);
  cudaFree(own(packed).pos_query);
  delete &own(packed);
}

}  // namespace deberta::cuda
