// Queues of copies and products, and what makes them take effect: waits, and arrivals at mbarriers.
#include "async.h"

#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/half.h"
#include "block.h"
#include "shared_memory.h"

namespace deberta::emulation {

namespace {

struct Arrival {  // a copy on its way, with the moment of its issue
  uint32_t address;
  std::vector<uint8_t> bytes;
  int writer;
  uint32_t clock, syncs;
};

Arrival arrival(uint32_t address, size_t bytes) {
  const Warp& warp = block.warps[current->warp];
  return {address, std::vector<uint8_t>(bytes), current->index, warp.clock[current->warp], warp.syncs};
}

void land(const Arrival& copy, bool async_proxy) {
  finish_copy(copy.address, copy.bytes.data(), static_cast<uint32_t>(copy.bytes.size()), copy.writer, copy.clock,
              copy.syncs, async_proxy);
}

struct CopyQueue {
  std::vector<Arrival> open;
  std::vector<std::vector<Arrival>> groups;
};
std::vector<CopyQueue> copy_queues;  // one per thread

struct MBarrier {
  int expected = 0, pending = 0;
  int64_t bytes_due = 0;
  uint32_t phase = 0;
  VectorClock clock{};
  std::vector<Arrival> in_flight;
  std::vector<int> waiting;
};
std::vector<MBarrier> mbarriers;

MBarrier& find_barrier(uint32_t address) {
  uint64_t id = 0;
  read_shared(address, &id, 8);
  if (id >= mbarriers.size()) report("no mbarrier at " + std::to_string(address));
  return mbarriers[id];
}

void complete_if_due(MBarrier& barrier) {
  if (barrier.pending > 0 || barrier.bytes_due > 0) return;
  if (barrier.bytes_due < 0) report("more bytes arrived at an mbarrier than were expected");
  ++barrier.phase;
  barrier.pending = barrier.expected;
  for (int thread : barrier.waiting) wake(thread);
  barrier.waiting.clear();
}

void land_all(MBarrier& barrier) {
  for (const Arrival& copy : barrier.in_flight) {
    land(copy, true);
    barrier.bytes_due -= static_cast<int64_t>(copy.bytes.size());
  }
  barrier.in_flight.clear();
}

float to_float(uint16_t bits, bool bfloat16) {
  if (!bfloat16) return float16_value(bits);
  const uint32_t wide = uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

// ---- wgmma ----

struct PendingProduct {
  MatrixProduct shape;
  std::vector<uint32_t> a;     // [128, 4] registers where A is in registers
  std::vector<float*> d;       // [128] accumulators
  std::vector<float> initial;  // [128, n / 2], where this is the first product in flight on them
};

struct Warpgroup {
  int arrived = 0;
  const char* name = nullptr;
  MatrixProduct operands[128];
  std::vector<PendingProduct> open;
  std::vector<std::vector<PendingProduct>> groups;
};
std::vector<Warpgroup> warpgroups;

/// All 128 threads meet; the last runs `apply`.
template <class Apply>
void warpgroup_collective(const char* name, const MatrixProduct* operand, Apply apply) {
  const int index = current->warp / 4;
  Warpgroup& group = warpgroups[index];
  if (group.arrived == 0) group.name = name;
  if (std::strcmp(group.name, name)) report(std::string(name) + " while other warps are in " + group.name);
  if (operand) group.operands[current->index % 128] = *operand;
  if (++group.arrived < 128) return wait_for(name);
  group.arrived = 0;
  apply(group);
  for (int i = 0; i < 128; ++i) wake(index * 128 + i);
}

struct Descriptor {
  uint32_t start, leading, stride;
  int swizzle_bits;  // of the address bits 4.. that are exchanged with bits 7..
};

Descriptor decode(uint64_t bits) {
  const uint32_t layout = bits >> 62;  // 0: none, 1: 128 bytes, 2: 64, 3: 32
  if (layout == 0) report("wgmma descriptor without swizzle: not used here");
  if (bits >> 49 & 7) report("wgmma descriptor with a base offset: not used here");
  return {static_cast<uint32_t>(bits & 0x3FFF) << 4, static_cast<uint32_t>(bits >> 16 & 0x3FFF) << 4,
          static_cast<uint32_t>(bits >> 32 & 0x3FFF) << 4, 4 - static_cast<int>(layout)};
}

uint32_t swizzle(uint32_t address, int bits) {
  const uint32_t mask = (1u << bits) - 1;
  return address ^ ((address >> 7 & mask) << 4);
}

/// 16 values of k for each of `rows` rows, from the canonical layout with k contiguous: atoms of 8 rows.
void gather_k_major(const Descriptor& d, int rows, bool bfloat16, float* out) {
  const uint32_t row_bytes = 16u << d.swizzle_bits;
  for (int r = 0; r < rows; ++r) {
    for (int chunk = 0; chunk < 2; ++chunk) {
      uint16_t values[8];
      const uint32_t address = d.start + r / 8 * d.stride + r % 8 * row_bytes + chunk * 16;
      read_shared_async(swizzle(address, d.swizzle_bits), values, 16);
      for (int k = 0; k < 8; ++k) out[r * 16 + chunk * 8 + k] = to_float(values[k], bfloat16);
    }
  }
}

/// The same from a [k, n] tile: atoms of 8 rows of k by one swizzle width of n.
void gather_n_major(const Descriptor& d, int columns, bool bfloat16, float* out) {
  const uint32_t row_bytes = 16u << d.swizzle_bits;
  const int width = static_cast<int>(row_bytes / 2);
  for (int k = 0; k < 16; ++k) {
    for (int n = 0; n < columns; n += 8) {
      uint16_t values[8];
      const uint32_t address = d.start + n / width * d.leading + k / 8 * d.stride + k % 8 * row_bytes + n % width * 2;
      read_shared_async(swizzle(address, d.swizzle_bits), values, 16);
      for (int i = 0; i < 8; ++i) out[(n + i) * 16 + k] = to_float(values[i], bfloat16);
    }
  }
}

void gather_registers(const std::vector<uint32_t>& a, bool bfloat16, float* out) {
  for (int thread = 0; thread < 128; ++thread) {
    const int row = thread / 32 * 16 + thread % 32 / 4, col = thread % 4 * 2;
    for (int r = 0; r < 4; ++r) {
      const uint32_t pair = a[thread * 4 + r];
      float* to = out + (row + r % 2 * 8) * 16 + col + r / 2 * 8;
      to[0] = to_float(static_cast<uint16_t>(pair), bfloat16);
      to[1] = to_float(static_cast<uint16_t>(pair >> 16), bfloat16);
    }
  }
}

void execute(const PendingProduct& product) {
  const MatrixProduct& shape = product.shape;
  float a[64 * 16];
  std::vector<float> b(shape.n * 16);
  if (product.a.empty()) {
    gather_k_major(decode(shape.descriptor_a), 64, shape.bfloat16, a);
  } else {
    gather_registers(product.a, shape.bfloat16, a);
  }
  if (shape.transposed_b) {
    gather_n_major(decode(shape.descriptor_b), shape.n, shape.bfloat16, b.data());
  } else {
    gather_k_major(decode(shape.descriptor_b), shape.n, shape.bfloat16, b.data());
  }
  for (int thread = 0; thread < 128; ++thread) {
    for (int i = 0; i < shape.n / 2; ++i) {
      const int row = thread / 32 * 16 + thread % 32 / 4 + i / 2 % 2 * 8;
      const int col = i / 4 * 8 + thread % 4 * 2 + i % 2;
      float* d = product.d[thread] + i;
      float sum = !shape.accumulate ? 0.0f : product.initial.empty() ? *d : product.initial[thread * (shape.n / 2) + i];
      for (int k = 0; k < 16; ++k) sum += a[row * 16 + k] * b[col * 16 + k];
      *d = sum;
    }
  }
}

bool in_flight(const Warpgroup& group, const float* accumulator) {
  for (const PendingProduct& p : group.open) {
    if (p.d[0] == accumulator) return true;
  }
  for (const auto& committed : group.groups) {
    for (const PendingProduct& p : committed) {
      if (p.d[0] == accumulator) return true;
    }
  }
  return false;
}

void enqueue(Warpgroup& group) {
  PendingProduct product;
  product.shape = group.operands[0];
  const int registers = product.shape.n / 2;
  const bool first = !in_flight(group, group.operands[0].accumulator);
  for (int thread = 0; thread < 128; ++thread) {
    const MatrixProduct& mine = group.operands[thread];
    if (mine.descriptor_b != product.shape.descriptor_b || mine.descriptor_a != product.shape.descriptor_a ||
        mine.accumulate != product.shape.accumulate) {
      report("the threads of a warpgroup disagree on a wgmma");
    }
    if (mine.a) product.a.insert(product.a.end(), mine.a, mine.a + 4);
    product.d.push_back(mine.accumulator);
    if (!first) continue;
    product.initial.insert(product.initial.end(), mine.accumulator, mine.accumulator + registers);
    std::memset(mine.accumulator, 0xFF, registers * sizeof(float));  // not a number until waited for
  }
  group.open.push_back(std::move(product));
}

}  // namespace

float float16_value(uint16_t bits) {
  static const std::vector<float> table = [] {
    std::vector<float> values(1 << 16);
    for (uint32_t i = 0; i < values.size(); ++i) values[i] = float_from_half(static_cast<uint16_t>(i));
    return values;
  }();
  return table[bits];
}

void reset_async(bool clean) {
  const size_t threads = block.num_threads, groups = (threads + 127) / 128;
  if (!clean) {
    copy_queues.clear();
    warpgroups.clear();
  }
  if (copy_queues.size() < threads) copy_queues.resize(threads);
  if (warpgroups.size() < groups) warpgroups.resize(groups);
  mbarriers.clear();
}

bool async_work_left() {
  const CopyQueue& copies = copy_queues[current->index];
  const Warpgroup& group = warpgroups[current->warp / 4];
  return !copies.open.empty() || !copies.groups.empty() || !group.open.empty() || !group.groups.empty();
}

void copy_async(uint32_t shared_address, const void* global, uint32_t source_bytes) {
  if (source_bytes && reinterpret_cast<uintptr_t>(global) % 16) report("cp.async from a misaligned address");
  begin_copy(shared_address, 16);
  Arrival copy = arrival(shared_address, 16);
  std::memcpy(copy.bytes.data(), global, source_bytes);
  copy_queues[current->index].open.push_back(std::move(copy));
}

void commit_copies() {
  CopyQueue& queue = copy_queues[current->index];
  queue.groups.push_back(std::move(queue.open));
  queue.open.clear();
}

void wait_copies(int groups_left) {
  CopyQueue& queue = copy_queues[current->index];
  const Warp& warp = block.warps[current->warp];
  while (static_cast<int>(queue.groups.size()) > groups_left) {
    for (Arrival& copy : queue.groups.front()) {
      copy.clock = warp.clock[current->warp];
      copy.syncs = warp.syncs;
      land(copy, false);
    }
    queue.groups.erase(queue.groups.begin());
  }
}

void barrier_init(uint32_t address, int arrivals) {
  const uint64_t id = mbarriers.size();
  write_shared(address, &id, 8);
  mbarriers.emplace_back();
  mbarriers.back().expected = mbarriers.back().pending = arrivals;
}

void barrier_arrive(uint32_t address, uint32_t expected_bytes) {
  MBarrier& barrier = find_barrier(address);
  if (barrier.pending == 0) report("more arrivals at an mbarrier than it was made for");
  barrier.bytes_due += expected_bytes;
  release(barrier.clock);
  --barrier.pending;
  complete_if_due(barrier);
}

void barrier_wait(uint32_t address, uint32_t parity) {
  for (;;) {
    MBarrier& barrier = find_barrier(address);
    if ((barrier.phase & 1) == parity && !barrier.in_flight.empty()) {
      land_all(barrier);
      complete_if_due(barrier);
    }
    if ((barrier.phase & 1) != parity) return acquire(barrier.clock);
    barrier.waiting.push_back(current->index);
    wait_for("mbarrier wait");
  }
}

void tensor_copy(uint32_t shared_address, const TensorMapData& map, uint32_t barrier_address, int32_t col,
                 int32_t row) {
  MBarrier& barrier = find_barrier(barrier_address);
  const uint32_t row_bytes = map.box_cols * 2;
  const int swizzle_bits = row_bytes == 128 ? 3 : 2;
  if (shared_address % 128) report("tensor copy to a misaligned address");
  for (int r = 0; r < map.box_rows; ++r) {
    for (uint32_t byte = 0; byte < row_bytes; byte += 16) {
      const uint32_t to = swizzle(shared_address + r * row_bytes + byte, swizzle_bits);
      begin_copy(to, 16);
      Arrival copy = arrival(to, 16);
      for (int i = 0; i < 8; ++i) {
        const int64_t y = int64_t{row} + r, x = int64_t{col} + byte / 2 + i;
        if (y < 0 || y >= map.rows || x < 0 || x >= map.cols) continue;
        std::memcpy(copy.bytes.data() + 2 * i, map.base + (y * map.stride + x) * 2, 2);
      }
      barrier.in_flight.push_back(std::move(copy));
    }
  }
  release(barrier.clock);  // who waits for the bytes sees what this thread did before it asked for them
  if (barrier.waiting.empty()) return;
  land_all(barrier);
  complete_if_due(barrier);
}

void issue_product(const MatrixProduct& product) { warpgroup_collective("wgmma", &product, enqueue); }

void commit_products() {
  warpgroup_collective("wgmma.commit_group", nullptr, [](Warpgroup& group) {
    group.groups.push_back(std::move(group.open));
    group.open.clear();
  });
}

void wait_products(int groups_left) {
  warpgroup_collective("wgmma.wait_group", nullptr, [groups_left](Warpgroup& group) {
    while (static_cast<int>(group.groups.size()) > groups_left) {
      for (const PendingProduct& product : group.groups.front()) execute(product);
      group.groups.erase(group.groups.begin());
    }
  });
}

}  // namespace deberta::emulation
