// The shadow of shared memory and the checks of each access against it.
#include "shared_memory.h"

#include <cstring>
#include <string>
#include <vector>

#include "block.h"

namespace deberta::emulation {

namespace {

enum class Content : uint8_t { kNothing, kCopyInFlight, kValue };

/// One access as the race check needs it.
struct Access {
  int16_t thread = -1;
  uint32_t clock = 0;  // of the thread's warp
  uint32_t syncs = 0;  // of the thread's warp
};

/// Two bytes of shared memory.
struct Cell {
  Content content = Content::kNothing;
  bool async_write = false;
  Access write, read;
  uint64_t write_number = 0;
  uint64_t block = 0;  // the block that wrote this; what another one left counts as nothing
};

std::vector<uint8_t> memory;
std::vector<Cell> cells;
uint64_t block_number = 0;

/// Cleared on its first use in a block: clearing all of them would cost more than many a block's work.
Cell& cell_at(uint32_t index) {
  Cell& cell = cells[index];
  if (cell.block != block_number) {
    cell = Cell();
    cell.block = block_number;
  }
  return cell;
}

Access now() {
  const Warp& warp = block.warps[current->warp];
  return {static_cast<int16_t>(current->index), warp.clock[current->warp], warp.syncs};
}

/// Whether synchronization puts `past` before what the running thread does next.
bool ordered(const Access& past) {
  if (past.thread < 0 || past.thread == current->index) return true;
  const int warp = past.thread / 32;
  if (warp == current->warp) return block.warps[warp].syncs > past.syncs;
  return block.warps[current->warp].clock[warp] >= past.clock;
}

std::string range(uint32_t address, uint32_t bytes) {
  return "shared memory [" + std::to_string(address) + ", +" + std::to_string(bytes) + ")";
}

void check_bounds(const char* what, uint32_t address, uint32_t bytes) {
  if (uint64_t{address} + bytes > memory.size()) {
    report(std::string(what) + " out of bounds: " + range(address, bytes) + " of " + std::to_string(memory.size()));
  }
  if (address % bytes && (bytes & (bytes - 1)) == 0 && bytes <= 16) {
    report(std::string(what) + " misaligned: " + range(address, bytes));
  }
}

void check_readable(uint32_t address, uint32_t bytes) {
  check_bounds("read", address, bytes);
  const Access access = now();
  for (uint32_t i = address / 2; i < (address + bytes + 1) / 2; ++i) {
    Cell& cell = cell_at(i);
    if (cell.content == Content::kNothing) report("read of uninitialised " + range(address, bytes));
    if (cell.content == Content::kCopyInFlight) report("read before the copy was waited for: " + range(address, bytes));
    if (!ordered(cell.write)) {
      report("race: read of " + range(address, bytes) + " that thread " + std::to_string(cell.write.thread) +
             " wrote, with nothing between");
    }
    cell.read = access;
  }
}

void check_writable(uint32_t address, uint32_t bytes) {
  check_bounds("write", address, bytes);
  for (uint32_t i = address / 2; i < (address + bytes + 1) / 2; ++i) {
    const Cell& cell = cell_at(i);
    if (cell.content == Content::kCopyInFlight) report("write into a copy in flight: " + range(address, bytes));
    for (const Access* past : {&cell.write, &cell.read}) {
      if (ordered(*past)) continue;
      report("race: write of " + range(address, bytes) + " that thread " + std::to_string(past->thread) +
             (past == &cell.read ? " read" : " wrote") + ", with nothing between");
    }
  }
}

}  // namespace

void reset_shared_memory(size_t bytes) {
  memory.resize(bytes);
  if (cells.size() < (bytes + 1) / 2) cells.resize((bytes + 1) / 2);
  ++block_number;
}

void read_shared(uint32_t address, void* to, uint32_t bytes) {
  check_readable(address, bytes);
  std::memcpy(to, memory.data() + address, bytes);
}

void write_shared(uint32_t address, const void* from, uint32_t bytes) {
  check_writable(address, bytes);
  std::memcpy(memory.data() + address, from, bytes);
  const Access access = now();
  ++access_number;
  for (uint32_t i = address / 2; i < (address + bytes + 1) / 2; ++i) {
    cells[i] = {Content::kValue, false, access, Access(), access_number, block_number};
  }
}

void read_shared_async(uint32_t address, void* to, uint32_t bytes) {
  read_shared(address, to, bytes);
  for (uint32_t i = address / 2; i < (address + bytes + 1) / 2; ++i) {
    const Cell& cell = cell_at(i);
    if (cell.async_write || block.threads[cell.write.thread].proxy_fence > cell.write_number) continue;
    report("asynchronous read of " + range(address, bytes) + " that thread " + std::to_string(cell.write.thread) +
           " stored without fence.proxy.async");
  }
}

void begin_copy(uint32_t address, uint32_t bytes) {
  check_writable(address, bytes);
  for (uint32_t i = address / 2; i < (address + bytes + 1) / 2; ++i) cell_at(i).content = Content::kCopyInFlight;
}

void finish_copy(uint32_t address, const void* from, uint32_t bytes, int writer, uint32_t clock, uint32_t syncs,
                 bool async_proxy) {
  std::memcpy(memory.data() + address, from, bytes);
  ++access_number;
  for (uint32_t i = address / 2; i < (address + bytes + 1) / 2; ++i) {
    cells[i] = {Content::kValue, async_proxy,   {static_cast<int16_t>(writer), clock, syncs},
                Access(),        access_number, block_number};
  }
}

}  // namespace deberta::emulation
