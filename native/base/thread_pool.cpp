// Fork/join over one atomic word, the gate: [epoch : 32][open : 1][workers allowed : 15][workers inside : 16].
//
// The caller opens the gate, works itself, shuts the gate when no task is left and waits only for workers that are
// inside. A worker that never got a core never enters, so a lost core delays a region by no more than the task it was
// running.
#include "base/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "base/cpu_placement.h"
#include "base/error.h"

namespace deberta {

namespace {

using Clock = std::chrono::steady_clock;

// Regions of one forward follow each other within a few microseconds; waking a parked thread costs 5 to 50 of them.
constexpr auto kSpinBeforeParking = std::chrono::microseconds(100);
constexpr auto kSpinBeforeYielding = std::chrono::microseconds(20);
constexpr int kPausesPerClockRead = 16;
constexpr int kMaxThreads = 1024;

constexpr uint64_t kInsideMask = 0xffff;
constexpr int kAllowedShift = 16;
constexpr uint64_t kAllowedMask = 0x7fff;
constexpr uint64_t kOpen = uint64_t{1} << 31;
constexpr int kEpochShift = 32;

inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Pauses until `done()` or until `limit` has passed; the last answer of `done()`.
template <class Done>
bool spin(Clock::duration limit, Done&& done) {
  const auto deadline = Clock::now() + limit;
  do {
    for (int i = 0; i < kPausesPerClockRead; ++i) {
      if (done()) return true;
      pause();
    }
  } while (Clock::now() < deadline);
  return done();
}

int threads_from_environment() {
  const char* text = std::getenv("DEBERTA_NUM_THREADS");
  if (text == nullptr || *text == '\0') return usable_cpus();
  char* end = nullptr;
  const long threads = std::strtol(text, &end, 10);
  if (*end != '\0' || threads < 1 || threads > kMaxThreads) {
    throw Error(ErrorCode::kINVALID_ARGUMENT,
                "DEBERTA_NUM_THREADS must be an integer in [1, 1024], got \"" + std::string(text) + "\"");
  }
  return static_cast<int>(threads);
}

/// Blocks every signal on this thread while it lives: threads started meanwhile inherit that and leave signals to Node.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

struct ThreadPool::State {
  alignas(64) std::atomic<uint64_t> gate{0};
  alignas(64) std::atomic<int64_t> next{0};  // the first task that nobody has claimed

  // The open region. Written while the gate is shut and nobody is inside; read by those inside.
  alignas(64) Task task = nullptr;
  void* callable = nullptr;
  int64_t tasks = 0;

  std::mutex region_mutex;  // held by the caller of the running region
  std::mutex park_mutex;
  std::condition_variable park_condition;
  std::atomic<int> parked{0};
  std::atomic<bool> stopping{false};

  struct Worker {
    std::thread thread;
    bool parked = false;  // both guarded by park_mutex
    CpuDetour detour;
  };
  std::vector<Worker> workers;  // worker i + 1 at i

  uint32_t epoch() const { return static_cast<uint32_t>(gate.load(std::memory_order_seq_cst) >> kEpochShift); }

  /// False if there was none left.
  bool run_task(int worker) {
    const int64_t claimed = next.fetch_add(1, std::memory_order_relaxed);
    if (claimed >= tasks) return false;
    task(callable, claimed, worker);
    return true;
  }

  /// Spins, then sleeps, until the gate carries another epoch than `seen` or the pool stops.
  void wait_for_region(Worker& self, uint32_t seen) {
    const auto ready = [&] { return epoch() != seen || stopping.load(std::memory_order_seq_cst); };
    if (spin(kSpinBeforeParking, ready)) return;
    std::unique_lock lock(park_mutex);
    parked.fetch_add(1, std::memory_order_seq_cst);  // before the last look at the gate: see wake()
    self.parked = true;
    park_condition.wait(lock, ready);
    self.parked = false;
    parked.fetch_sub(1, std::memory_order_relaxed);
    self.detour.end();
  }

  /// Called after the gate was opened. Either this sees a parked worker, or that worker sees the open gate. False if
  /// none was parked.
  bool wake() {
    if (parked.load(std::memory_order_seq_cst) == 0) return false;
    {
      std::lock_guard lock(park_mutex);
    }
    park_condition.notify_all();
    return true;
  }

  /// Sends workers that were woken a task ago and have not come yet to other CPUs than this one.
  void send_for_late_workers() {
    if (parked.load(std::memory_order_relaxed) == 0) return;
    std::lock_guard lock(park_mutex);
    for (Worker& worker : workers) {
      if (worker.parked) worker.detour.begin(worker.thread);
    }
  }

  /// Enters the region of `epoch` if it is open and has room for `worker`.
  bool enter(uint32_t epoch, int worker) {
    uint64_t seen = gate.load(std::memory_order_acquire);
    while (static_cast<uint32_t>(seen >> kEpochShift) == epoch && (seen & kOpen) != 0 &&
           static_cast<uint64_t>(worker) < (seen >> kAllowedShift & kAllowedMask)) {
      if (gate.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel)) return true;
    }
    return false;
  }

  void work(int worker) {
    uint32_t seen = 0;
    for (;;) {
      wait_for_region(workers[static_cast<size_t>(worker - 1)], seen);
      if (stopping.load(std::memory_order_acquire)) return;
      seen = epoch();
      if (!enter(seen, worker)) continue;
      while (run_task(worker)) {
      }
      gate.fetch_sub(1, std::memory_order_release);
    }
  }

  void stop() {
    stopping.store(true, std::memory_order_seq_cst);
    {
      std::lock_guard lock(park_mutex);
    }
    park_condition.notify_all();
    for (Worker& worker : workers) {
      if (worker.thread.joinable()) worker.thread.join();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  const SignalsBlocked blocked;
  std::vector<State::Worker>& workers = state_->workers;
  workers = std::vector<State::Worker>(static_cast<size_t>(std::clamp(threads, 1, kMaxThreads) - 1));
  size_t started = 0;
  try {
    for (; started < workers.size(); ++started) {
      const int worker = static_cast<int>(started) + 1;
      workers[started].thread = std::thread([state = state_.get(), worker] { state->work(worker); });
    }
  } catch (const std::system_error& error) {
    state_->stop();
    throw Error(ErrorCode::kOUT_OF_MEMORY, "could not start compute thread " + std::to_string(started + 1) + " of " +
                                               std::to_string(threads - 1) + ": " + error.what());
  }
}

ThreadPool::~ThreadPool() { state_->stop(); }

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run(int64_t tasks, int max_threads, Task task, void* callable) {
  int64_t workers = max_threads > 0 ? std::min(max_threads, threads()) : threads();
  workers = std::min(workers, tasks);
  if (workers <= 1) {
    for (int64_t i = 0; i < tasks; ++i) task(callable, i, 0);
    return;
  }
  State& state = *state_;
  const std::lock_guard region(state.region_mutex);
  state.task = task;
  state.callable = callable;
  state.tasks = tasks;
  state.next.store(0, std::memory_order_relaxed);
  const uint64_t epoch = static_cast<uint32_t>(state.epoch() + 1);
  state.gate.store(epoch << kEpochShift | kOpen | static_cast<uint64_t>(workers) << kAllowedShift,
                   std::memory_order_seq_cst);
  if (state.wake() && state.run_task(0)) state.send_for_late_workers();
  while (state.run_task(0)) {
  }
  state.gate.fetch_and(~kOpen, std::memory_order_acq_rel);
  const auto empty = [&] { return (state.gate.load(std::memory_order_acquire) & kInsideMask) == 0; };
  if (spin(kSpinBeforeYielding, empty)) return;
  while (!empty()) std::this_thread::yield();
}

std::shared_ptr<ThreadPool> ThreadPool::shared() {
  static const std::shared_ptr<ThreadPool> pool = std::make_shared<ThreadPool>(threads_from_environment());
  return pool;
}

}  // namespace deberta
