// One thread block at a time: its threads as fibers, who waits for what, and the order that synchronization gives their
// memory accesses (a vector clock per warp). What shared memory holds is shared_memory.h; the instructions themselves
// are include/backends/cuda/device.cuh.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "fiber.h"

namespace deberta::emulation {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

constexpr int kMaxThreads = 1024;
constexpr int kMaxWarps = kMaxThreads / 32;
constexpr int kNamedBarriers = 16;

/// clock[w]: how far warp w had come when its work was last made visible here.
using VectorClock = std::array<uint32_t, kMaxWarps>;
void join(VectorClock& clock, const VectorClock& other);

struct Thread {
  int index = 0;  // within the block
  int lane = 0;
  int warp = 0;
  Dim3 position{0, 0, 0};
  const char* waiting_for = nullptr;  // for the deadlock report; null: can run
  bool done = false;
  uint64_t proxy_fence = 0;  // the access number of its last fence.proxy.async
  Fiber* fiber = nullptr;    // null: not started, or returned
};

struct Warp {
  int arrived = 0;             // lanes inside the pending collective
  const char* name = nullptr;  // of that collective
  std::array<void*, 32> operands{};
  VectorClock clock{};
  uint32_t syncs = 0;  // __syncwarp and wider: orders the lanes among themselves
};

struct NamedBarrier {
  int arrived = 0;
  int expected = 0;
  VectorClock clock{};
  std::vector<int> waiting;  // thread indices
};

/// The block that runs now. One block runs at a time, on one host thread.
struct Block {
  const char* kernel = "";
  Dim3 grid, size, position;
  int num_threads = 0;
  std::vector<Thread> threads;
  std::array<Warp, kMaxWarps> warps;
  std::array<NamedBarrier, kNamedBarriers> barriers;
};

extern Block block;
extern Thread* current;
/// Counts every checked access and fence: "before" and "after" within one thread.
extern uint64_t access_number;

/// Runs `kernel` once for every thread of every block. Stops at the first report. Empty: all went well.
std::string run_grid(const char* name, Dim3 grid, Dim3 size, size_t shared_bytes, const std::function<void()>& kernel);

/// Ends the launch with a message that names kernel, block and thread. Call from a fiber only.
[[noreturn]] void report(const std::string& message);

/// Suspends the running thread until wake() names it.
void wait_for(const char* what);
void wake(int thread_index);

/// All 32 lanes meet; the last one in runs `apply(operands)` for all, where operands[lane] is what each lane brought.
template <class Apply>
void warp_collective(const char* name, void* operand, Apply apply) {
  Warp& warp = block.warps[current->warp];
  if (warp.arrived == 0) warp.name = name;
  if (warp.name != name) report(std::string(name) + " while other lanes of the warp are in " + warp.name);
  warp.operands[current->lane] = operand;
  if (++warp.arrived < 32) return wait_for(name);
  warp.arrived = 0;
  apply(warp.operands);
  const int first = current->warp * 32;
  for (int lane = 0; lane < 32; ++lane) wake(first + lane);
}

/// bar.sync `id`, `count`: that many threads meet, and see what the others wrote before.
void named_barrier(int id, int count);

/// What a release does: the warp's past becomes visible to who acquires `clock`.
void release(VectorClock& clock);
void acquire(const VectorClock& clock);

}  // namespace deberta::emulation
