// The scheduler of a block's threads, barriers, and the clocks that say what happened before what.
#include "block.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "async.h"
#include "shared_memory.h"

namespace deberta::emulation {

Block block;
Thread* current = nullptr;
uint64_t access_number = 1;

namespace {

Fiber scheduler;
std::deque<Fiber> fibers;
std::vector<Fiber*> free_fibers;
std::string failure;
const std::function<void()>* running_kernel = nullptr;
std::array<uint64_t, kMaxThreads / 64> ready;  // bit per thread
int threads_left = 0;

int next_ready(int after) {
  const int words = (block.num_threads + 63) / 64;
  int word = after / 64;
  uint64_t bits = ready[word] & ~((uint64_t{2} << (after % 64)) - 1);
  for (int tried = 0; tried <= words; ++tried) {
    if (bits) return word * 64 + __builtin_ctzll(bits);
    word = (word + 1) % words;
    bits = ready[word];
  }
  return -1;
}

/// The other way round, for every second block: code that only works in one order of its threads shows.
int previous_ready(int before) {
  const int words = (block.num_threads + 63) / 64;
  int word = before / 64;
  uint64_t bits = ready[word] & ((uint64_t{1} << (before % 64)) - 1);
  for (int tried = 0; tried <= words; ++tried) {
    if (bits) return word * 64 + 63 - __builtin_clzll(bits);
    word = (word + words - 1) % words;
    bits = ready[word];
  }
  return -1;
}

void switch_to_scheduler() { scheduler.switch_to(*current->fiber); }

std::string describe_deadlock() {
  std::string text = "deadlock:";
  const char* last = nullptr;
  int shown = 0;
  for (const Thread& thread : block.threads) {
    if (thread.index >= block.num_threads) break;
    const char* state = thread.done ? "returned" : thread.waiting_for;
    if (state == last || shown > 12) continue;
    text += " thread " + std::to_string(thread.index) + " in " + (state ? state : "?") + ";";
    last = state;
    ++shown;
  }
  return text;
}

int next_thread() {
  const bool upwards = (block.position.x + block.position.y) % 2 == 0;
  return upwards ? next_ready(current->index) : previous_ready(current->index);
}

void thread_main();

/// The fiber of a thread that is about to run.
Fiber& fiber_of(Thread& thread) {
  if (thread.fiber) return *thread.fiber;
  if (free_fibers.empty()) free_fibers.push_back(&fibers.emplace_back());
  thread.fiber = free_fibers.back();
  free_fibers.pop_back();
  thread.fiber->prepare(thread_main);
  return *thread.fiber;
}

void yield() {
  Thread* self = current;
  const int next = next_thread();
  if (next < 0) {
    failure = failure.empty() ? describe_deadlock() : failure;
    return switch_to_scheduler();
  }
  if (next == self->index) return;
  current = &block.threads[next];
  fiber_of(*current).switch_to(*self->fiber);
}

/// Runs threads one after the other on this fiber, as long as each returns before the next has to start: threads that
/// never wait share one warm stack.
void thread_main() {
  for (;;) {
    (*running_kernel)();
    if (async_work_left()) report("the thread returned with asynchronous copies or wgmma still in flight");
    current->done = true;
    ready[current->index / 64] &= ~(uint64_t{1} << (current->index % 64));
    if (--threads_left == 0) switch_to_scheduler();
    const int next = next_thread();
    if (next < 0) {
      failure = describe_deadlock();
      switch_to_scheduler();
    }
    Fiber* mine = std::exchange(current->fiber, nullptr);
    current = &block.threads[next];
    if (!current->fiber) {
      current->fiber = mine;
      continue;
    }
    free_fibers.push_back(mine);  // prepared anew before it runs again
    current->fiber->switch_to(*mine);
  }
}

void start_threads(Dim3 size, bool clean) {
  if (static_cast<int>(block.threads.size()) < block.num_threads) block.threads.resize(block.num_threads);
  ready.fill(0);
  for (int i = 0; i < block.num_threads; ++i) {
    Thread& thread = block.threads[i];
    thread.index = i;
    thread.lane = i % 32;
    thread.warp = i / 32;
    thread.position = {i % size.x, i / size.x % size.y, i / (size.x * size.y)};
    thread.waiting_for = nullptr;
    thread.done = false;
    thread.proxy_fence = 0;
    thread.fiber = nullptr;
    ready[i / 64] |= uint64_t{1} << (i % 64);
  }
  for (int w = 0; w < block.num_threads / 32; ++w) {
    Warp& warp = block.warps[w];
    warp.arrived = 0;
    warp.syncs = 0;
    warp.clock.fill(0);
    warp.clock[w] = 1;
  }
  if (!clean) block.barriers.fill(NamedBarrier());
  threads_left = block.num_threads;
}

std::string where() {
  return std::string(block.kernel) + ", block (" + std::to_string(block.position.x) + ", " +
         std::to_string(block.position.y) + ", " + std::to_string(block.position.z) + "), thread " +
         std::to_string(current ? current->index : -1) + ": ";
}

bool run_block(Dim3 size, size_t shared_bytes) {
  static bool clean = false;  // whether the last block ended well
  start_threads(size, clean);
  reset_shared_memory(shared_bytes);
  reset_async(clean);
  free_fibers.clear();
  for (Fiber& fiber : fibers) free_fibers.push_back(&fiber);
  current = &block.threads[0];
  fiber_of(*current).switch_to(scheduler);
  if (!failure.empty()) failure = where() + failure;
  current = nullptr;
  return clean = failure.empty();
}

}  // namespace

void join(VectorClock& clock, const VectorClock& other) {
  for (int w = 0; w < kMaxWarps; ++w) clock[w] = std::max(clock[w], other[w]);
}

std::string run_grid(const char* name, Dim3 grid, Dim3 size, size_t shared_bytes, const std::function<void()>& kernel) {
  block.kernel = name;
  block.grid = grid;
  block.size = size;
  block.num_threads = static_cast<int>(size.x * size.y * size.z);
  if (block.num_threads < 1 || block.num_threads > kMaxThreads || block.num_threads % 32) {
    return std::string(name) + ": a block of " + std::to_string(block.num_threads) + " threads";
  }
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535) {
    return std::string(name) + ": an impossible grid";
  }
  failure.clear();
  running_kernel = &kernel;
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) {
        block.position = {x, y, z};
        if (!run_block(size, shared_bytes)) return failure;
      }
    }
  }
  return {};
}

void report(const std::string& message) {
  if (failure.empty()) failure = message;
  switch_to_scheduler();
  __builtin_unreachable();
}

void wait_for(const char* what) {
  current->waiting_for = what;
  ready[current->index / 64] &= ~(uint64_t{1} << (current->index % 64));
  yield();
}

void wake(int thread_index) {
  block.threads[thread_index].waiting_for = nullptr;
  ready[thread_index / 64] |= uint64_t{1} << (thread_index % 64);
}

void release(VectorClock& clock) {
  Warp& warp = block.warps[current->warp];
  join(clock, warp.clock);
  ++warp.clock[current->warp];
}

void acquire(const VectorClock& clock) {
  Warp& warp = block.warps[current->warp];
  join(warp.clock, clock);
}

void named_barrier(int id, int count) {
  if (id < 0 || id >= kNamedBarriers) report("barrier " + std::to_string(id) + " does not exist");
  NamedBarrier& barrier = block.barriers[id];
  if (barrier.arrived == 0) barrier.expected = count;
  if (barrier.expected != count) report("threads disagree on how many meet at barrier " + std::to_string(id));
  join(barrier.clock, block.warps[current->warp].clock);
  barrier.waiting.push_back(current->index);
  if (++barrier.arrived < count) return wait_for("barrier");
  // Everyone's past is now everyone's.
  const NamedBarrier met = barrier;
  barrier = NamedBarrier();
  uint64_t joined = 0;  // bit per warp
  for (int index : met.waiting) {
    wake(index);
    const int w = index / 32;
    if (joined >> w & 1) continue;
    joined |= uint64_t{1} << w;
    join(block.warps[w].clock, met.clock);
    ++block.warps[w].clock[w];
    ++block.warps[w].syncs;
  }
}

}  // namespace deberta::emulation
