// The process's one pool of compute threads: fork/join regions that cost under a microsecond while threads are hot.
//
// Workers spin for a short while after a region, then park, so an idle process uses no CPU. Tasks are claimed one at a
// time from a counter: a core that is taken away costs its share and no more. One region runs at a time; a second
// caller waits.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace deberta {

class ThreadPool {
 public:
  /// `threads` counts the calling thread: a pool of 1 runs everything on the caller.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  /// Runs body(task, worker) for every task in [0, tasks); returns when all are done. The caller takes part as worker
  /// 0; worker < min(threads(), max_threads), max_threads = 0 meaning all. `body` must not throw. Which worker runs
  /// which task is not fixed, so results must not depend on it.
  template <class Body>
  void parallel_for(int64_t tasks, int max_threads, Body&& body) {
    run(
        tasks, max_threads,
        [](void* callable, int64_t task, int worker) {
          (*static_cast<std::remove_reference_t<Body>*>(callable))(task, worker);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

  /// The process-wide pool: hardware threads, or DEBERTA_NUM_THREADS. Made at first use; never destroyed while in use.
  static std::shared_ptr<ThreadPool> shared();

 private:
  using Task = void (*)(void* callable, int64_t task, int worker);
  void run(int64_t tasks, int max_threads, Task task, void* callable);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace deberta
