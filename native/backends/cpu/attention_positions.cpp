// pack_positions: from the caller's index and tables to slots, packed rows (pos_key) and column panels (pos_query).
#include "backends/cpu/attention_positions.h"

#include <algorithm>
#include <string>

#include "backends/cpu/attention.h"

namespace deberta {

namespace {

void check_args(const PositionsArgs& args) {
  const RelativeIndex& index = args.index;
  for (int64_t i = 0; i <= 2 * static_cast<int64_t>(index.max_distance); ++i) {
    if (index.rows[i] >= 0 && index.rows[i] < index.num_rows) continue;
    throw Error(ErrorCode::kINTERNAL, "relative index: distance " + std::to_string(i - index.max_distance) +
                                          " names row " + std::to_string(index.rows[i]) + " of " +
                                          std::to_string(index.num_rows));
  }
}

/// Fills the slots and returns the table row of each.
std::vector<int32_t> assign_slots(const RelativeIndex& index, CpuPositions& positions) {
  const int32_t reach = index.max_distance;
  const auto row = [&](int32_t d) { return index.rows[std::clamp(d, -reach, reach) + static_cast<int64_t>(reach)]; };
  int32_t low = -reach, high = reach;
  while (low < high && row(low + 1) == row(-reach)) ++low;
  while (high > low && row(high - 1) == row(reach)) --high;
  positions.far_low = low;
  positions.far_high = high;

  DistanceSlots& slots = positions.slots;
  slots.first = low - kSlotMargin;
  slots.last = high + kSlotMargin;
  std::vector<int32_t> row_of_slot;
  for (int32_t d = slots.first; d <= slots.last; ++d) {
    if (row_of_slot.empty() || row(d) != row_of_slot.back()) row_of_slot.push_back(row(d));
    positions.slot_of.push_back(static_cast<int32_t>(row_of_slot.size()) - 1);
  }
  positions.num_slots = static_cast<int>(row_of_slot.size());
  slots.slot_of = positions.slot_of.data();
  return row_of_slot;
}

/// The longest run of distances over which the slot rises by one each.
void find_linear_range(CpuPositions& positions) {
  DistanceSlots& slots = positions.slots;
  int32_t begin = slots.first;
  for (int32_t d = slots.first; d <= slots.last; ++d) {
    if (d > slots.first && positions.slot(d) != positions.slot(d - 1) + 1) begin = d;
    if (d - begin > slots.linear_high - slots.linear_low) {
      slots.linear_low = begin;
      slots.linear_high = d;
    }
  }
}

const float* head_row(const ConstMatrix& table, int64_t row, int head, int head_dim) {
  return static_cast<const float*>(table.data) + row * table.stride + static_cast<int64_t>(head) * head_dim;
}

int64_t padded_words(const CpuPositions& positions) {
  const int64_t words = (positions.head_dim + positions.products->group - 1) / positions.products->group;
  return (words + kBlockWords - 1) / kBlockWords * kBlockWords;
}

void pack_pos_key(const PositionsArgs& args, const std::vector<int32_t>& row_of_slot, CpuPositions& positions) {
  positions.key_rows = positions.num_slots + kRowsRead;  // products may read a few more, see kRowsRead
  positions.key_head_words = padded_words(positions) * positions.key_rows;
  positions.pos_key = AlignedBuffer(static_cast<size_t>(positions.key_head_words * args.num_heads) * sizeof(float),
                                    "the packed pos_key table");
  for (int h = 0; h < args.num_heads; ++h) {
    for (int s = 0; s < positions.num_slots; ++s) {
      positions.products->pack_rows(head_row(args.pos_key, row_of_slot[s], h, args.head_dim), 0, 1, args.head_dim,
                                    positions.pos_key.as<float>() + h * positions.key_head_words + s * kBlockWords,
                                    positions.key_rows * kBlockWords);
    }
  }
}

/// Panels begin where p2c_rows keys of a strip at a multiple of the width begin to look (distance 1 modulo the width),
/// so that their windows start at a panel.
void pack_pos_query(const PositionsArgs& args, const std::vector<int32_t>& row_of_slot, int width,
                    CpuPositions& positions) {
  const int64_t words = padded_words(positions);
  positions.panel_shift = (width - positions.slot(1) % width) % width;
  positions.num_panels = (positions.num_slots + positions.panel_shift + width - 1) / width;
  positions.query_head_words = positions.num_panels * words * width;
  positions.pos_query = AlignedBuffer(static_cast<size_t>(positions.query_head_words * args.num_heads) * sizeof(float),
                                      "the packed pos_query table");
  float* tables = positions.pos_query.as<float>();
  std::fill_n(tables, positions.query_head_words * args.num_heads, 0.0f);
  std::vector<float> row_words(static_cast<size_t>(words));
  for (int h = 0; h < args.num_heads; ++h) {
    for (int s = 0; s < positions.num_slots; ++s) {
      positions.products->pack_rows(head_row(args.pos_query, row_of_slot[s], h, args.head_dim), 0, 1, args.head_dim,
                                    row_words.data(), kBlockWords);
      const int column = s + positions.panel_shift;
      float* panel = tables + h * positions.query_head_words + column / width * words * width + column % width;
      for (int64_t w = 0; w < words; ++w) panel[w * width] = row_words[w];
    }
  }
  for (const int32_t row : {row_of_slot.front(), row_of_slot.back()}) {
    const float* from = head_row(args.pos_query, row, 0, args.head_dim);
    positions.far_query.insert(positions.far_query.end(), from,
                               from + static_cast<int64_t>(args.num_heads) * args.head_dim);
  }
}

}  // namespace

const AttentionProducts& attention_products(const CpuContext& context) {
  const AttentionMicrokernels& kernels = context.kernels->attention;
  const bool pairs = context.compute_dtype != DType::kFloat32 && kernels.bfloat16.group != 0;
  return pairs ? kernels.bfloat16 : kernels.float32;
}

PackedPositions* cpu_pack_positions(OpContext* context, const PositionsArgs& args) {
  check_args(args);
  const CpuContext& cpu = as_cpu(context);
  auto positions = std::make_unique<CpuPositions>();
  positions->products = &attention_products(cpu);
  positions->num_heads = args.num_heads;
  positions->head_dim = args.head_dim;
  const std::vector<int32_t> row_of_slot = assign_slots(args.index, *positions);
  find_linear_range(*positions);
  if (args.pos_key.data) pack_pos_key(args, row_of_slot, *positions);
  if (args.pos_query.data) pack_pos_query(args, row_of_slot, cpu.kernels->attention.width, *positions);
  positions->bytes = positions->pos_key.size() + positions->pos_query.size() +
                     positions->far_query.size() * sizeof(float) + positions->slot_of.size() * sizeof(int32_t);
  positions->packed_bytes = cpu.packed_bytes;
  *positions->packed_bytes += positions->bytes;
  return reinterpret_cast<PackedPositions*>(positions.release());
}

void cpu_free_positions(OpContext*, PackedPositions* packed) {
  CpuPositions* positions = reinterpret_cast<CpuPositions*>(packed);
  if (!positions) return;
  *positions->packed_bytes -= positions->bytes;
  delete positions;
}

}  // namespace deberta
