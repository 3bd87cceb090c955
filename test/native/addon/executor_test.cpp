// The lanes: order, taking tasks back, counting, ending.
#include "addon/executor.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

#include "doctest.h"

using deberta::addon::compute_lane_busy;
using deberta::addon::Executor;
using deberta::addon::Lane;
using deberta::addon::WorkQueue;

namespace {

/// Holds a thread of a queue until it is opened.
struct Gate {
  std::promise<void> entered;
  std::promise<void> opened;

  void operator()() {
    entered.set_value();
    opened.get_future().wait();
  }
};

}  // namespace

TEST_CASE("one thread runs tasks in the order they came") {
  std::vector<int> order;
  {
    WorkQueue queue(1);
    for (int i = 0; i < 1000; ++i) queue.post(nullptr, [&order, i] { order.push_back(i); });
  }  // the destructor runs what is queued
  REQUIRE(order.size() == 1000);
  for (int i = 0; i < 1000; ++i) CHECK(order[i] == i);
}

TEST_CASE("a task that waits can be taken back, one that runs cannot") {
  Gate gate;
  int running = 0, waiting = 0;
  std::atomic<bool> ran{false};
  {
    WorkQueue queue(1);
    queue.post(&running, [&gate] { gate(); });
    queue.post(&waiting, [&ran] { ran = true; });
    gate.entered.get_future().wait();
    CHECK_FALSE(queue.remove(&running));
    CHECK(queue.remove(&waiting));
    CHECK_FALSE(queue.remove(&waiting));
    gate.opened.set_value();
  }
  CHECK_FALSE(ran);
}

TEST_CASE("the load counts what waits and what runs") {
  std::atomic<int> load{0};
  Gate gate;
  int waiting = 0;
  {
    WorkQueue queue(1, &load);
    queue.post(nullptr, [&gate] { gate(); });
    queue.post(&waiting, [] {});
    queue.post(nullptr, [] {});
    gate.entered.get_future().wait();
    CHECK(load == 3);
    CHECK(queue.remove(&waiting));
    CHECK(load == 2);
    gate.opened.set_value();
  }
  CHECK(load == 0);
}

TEST_CASE("a task's memory is given back before the next one runs") {
  auto held = std::make_shared<int>(5);
  const std::weak_ptr<int> observed = held;
  WorkQueue queue(1);
  queue.post(nullptr, [held = std::move(held)] {});
  std::promise<bool> expired;
  queue.post(nullptr, [&] { expired.set_value(observed.expired()); });
  CHECK(expired.get_future().get());
}

TEST_CASE("the lanes do not wait for each other") {
  const std::shared_ptr<Executor> executor = Executor::shared();
  CHECK(executor == Executor::shared());
  Gate gate;
  executor->lane(Lane::kCompute).post(nullptr, [&gate] { gate(); });
  gate.entered.get_future().wait();
  CHECK(compute_lane_busy());
  std::promise<void> done;
  executor->lane(Lane::kBackground).post(nullptr, [&done] { done.set_value(); });
  done.get_future().wait();
  gate.opened.set_value();
}

TEST_CASE("many threads post and take back at once; every task runs or is taken back, never both") {
  std::atomic<int> ran{0}, taken{0};
  constexpr int kThreads = 4, kTasks = 500;
  {
    WorkQueue queue(3);
    std::vector<std::thread> posters;
    for (int t = 0; t < kThreads; ++t) {
      posters.emplace_back([&] {
        std::vector<int> keys(kTasks);
        for (int i = 0; i < kTasks; ++i) {
          queue.post(&keys[i], [&ran] { ++ran; });
          if (i % 3 == 0 && queue.remove(&keys[i])) ++taken;
        }
      });
    }
    for (std::thread& poster : posters) poster.join();
  }
  CHECK(ran + taken == kThreads * kTasks);
}
