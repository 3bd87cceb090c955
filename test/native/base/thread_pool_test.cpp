// Every task runs exactly once, under every number of threads, callers and tasks; idle pools use no CPU.
#include "base/thread_pool.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "base/error.h"
#include "doctest.h"

namespace deberta {
namespace {

double process_cpu_seconds() {
  timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

TEST_CASE("every task runs exactly once, on a worker that is allowed to") {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (const int max_threads : {0, 1, 2, 5}) {
      for (const int64_t tasks : {0, 1, 2, 3, 17, 113, 513}) {
        const int limit = max_threads == 0 ? threads : std::min(threads, max_threads);
        std::vector<int> runs(static_cast<size_t>(tasks), 0);
        std::atomic<bool> worker_in_range{true};
        pool.parallel_for(tasks, max_threads, [&](int64_t task, int worker) {
          ++runs[static_cast<size_t>(task)];
          if (worker < 0 || worker >= limit) worker_in_range = false;
        });
        CHECK(runs == std::vector<int>(static_cast<size_t>(tasks), 1));
        CHECK(worker_in_range);
      }
    }
  }
}

TEST_CASE("writes of one region are seen by the next, over many hot regions") {
  ThreadPool pool(3);
  std::vector<int64_t> values(97, 0);
  for (int round = 0; round < 5000; ++round) {
    pool.parallel_for(97, 0, [&](int64_t task, int) { values[static_cast<size_t>(task)] += task; });
  }
  for (int64_t i = 0; i < 97; ++i) CHECK(values[static_cast<size_t>(i)] == 5000 * i);
}

TEST_CASE("a worker index belongs to one thread at a time") {
  ThreadPool pool(4);
  std::vector<int64_t> per_worker(4, 0);  // unsynchronised on purpose: a race here is what TSan would report
  int64_t total = 0;
  for (int round = 0; round < 200; ++round) {
    pool.parallel_for(64, 0, [&](int64_t, int worker) { ++per_worker[static_cast<size_t>(worker)]; });
  }
  for (const int64_t count : per_worker) total += count;
  CHECK(total == 200 * 64);
}

TEST_CASE("concurrent callers wait for each other") {
  ThreadPool pool(2);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 300; ++round) {
        pool.parallel_for(13, 0, [&](int64_t task, int) { sum.fetch_add(task, std::memory_order_relaxed); });
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(sum == 4 * 300 * 78);
}

TEST_CASE("parked workers wake for the next region") {
  ThreadPool pool(2);
  for (int round = 0; round < 20; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> arrived{0};
    // Two tasks that each wait for the other: only two threads can finish them.
    pool.parallel_for(2, 0, [&](int64_t, int) {
      ++arrived;
      while (arrived < 2) std::this_thread::yield();
    });
    CHECK(arrived == 2);
  }
}

TEST_CASE("an idle pool uses no CPU") {
  ThreadPool pool(4);
  pool.parallel_for(64, 0, [](int64_t, int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double before = process_cpu_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(process_cpu_seconds() - before < 0.03);
}

TEST_CASE("workers leave every signal to the threads of the host") {
  ThreadPool pool(2);
  std::atomic<int> arrived{0};
  std::atomic<bool> blocked{false};
  pool.parallel_for(2, 0, [&](int64_t, int worker) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
    if (worker == 0) return;
    sigset_t set;
    pthread_sigmask(SIG_SETMASK, nullptr, &set);
    blocked = sigismember(&set, SIGINT) == 1 && sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGUSR1) == 1;
  });
  CHECK(blocked);
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  CHECK(sigismember(&mine, SIGINT) == 0);
}

TEST_CASE("the shared pool follows DEBERTA_NUM_THREADS and refuses nonsense") {
  for (const char* bad : {"0", "-2", "two", "3x", "99999"}) {
    setenv("DEBERTA_NUM_THREADS", bad, 1);
    CHECK_THROWS_AS(ThreadPool::shared(), Error);
  }
  setenv("DEBERTA_NUM_THREADS", "3", 1);
  CHECK(ThreadPool::shared()->threads() == 3);
  unsetenv("DEBERTA_NUM_THREADS");
  CHECK(ThreadPool::shared() == ThreadPool::shared());
}

}  // namespace
}  // namespace deberta
