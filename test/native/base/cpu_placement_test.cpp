// A detour keeps a sleeping thread off the caller's CPU, and ends with the mask the thread had before.
#include "base/cpu_placement.h"

#include <future>
#include <thread>

#include "doctest.h"

namespace deberta {
namespace {

TEST_CASE("the process may use at least one CPU, and no more than the machine has") {
  CHECK(usable_cpus() >= 1);
  CHECK(usable_cpus() <= static_cast<int>(std::thread::hardware_concurrency()));
}

#if defined(__linux__)

cpu_set_t affinity(std::thread& thread) {
  cpu_set_t set;
  REQUIRE(pthread_getaffinity_np(thread.native_handle(), sizeof set, &set) == 0);
  return set;
}

TEST_CASE("a detour leaves all CPUs but the caller's, however often it is begun, and ends with what was before") {
  CpuDetour detour;
  std::promise<void> leave;
  std::promise<void> left;
  std::promise<void> stop;
  std::thread sleeper([&] {
    leave.get_future().wait();
    detour.end();
    left.set_value();
    stop.get_future().wait();
  });

  const cpu_set_t before = affinity(sleeper);
  cpu_set_t only_here;  // the caller must not move between begin() and the check
  CPU_ZERO(&only_here);
  const int here = sched_getcpu();
  CPU_SET(here, &only_here);
  cpu_set_t own;
  REQUIRE(sched_getaffinity(0, sizeof own, &own) == 0);
  REQUIRE(sched_setaffinity(0, sizeof only_here, &only_here) == 0);
  detour.begin(sleeper);
  detour.begin(sleeper);
  REQUIRE(sched_setaffinity(0, sizeof own, &own) == 0);

  cpu_set_t expected = before;
  if (CPU_COUNT(&before) > 1) CPU_CLR(here, &expected);
  const cpu_set_t during = affinity(sleeper);
  CHECK(CPU_EQUAL(&during, &expected));

  leave.set_value();
  left.get_future().wait();
  const cpu_set_t after = affinity(sleeper);
  CHECK(CPU_EQUAL(&after, &before));
  stop.set_value();
  sleeper.join();
}

#endif

}  // namespace
}  // namespace deberta
