#include "base/cpu_placement.h"

#include <algorithm>
#include <cstdio>

#if defined(__linux__)
#include <pthread.h>
#endif

namespace deberta {

namespace {

constexpr int kMaxCpus = 1024;

/// CPU time that the container may use, in cores rounded up (cgroup v2 cpu.max); 0: no limit known.
int container_cpu_limit() {
#if defined(__linux__)
  std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "re");
  if (file == nullptr) return 0;
  long long quota = 0, period = 0;
  const int fields = std::fscanf(file, "%lld %lld", &quota, &period);  // "max 100000" gives no field
  std::fclose(file);
  if (fields == 2 && quota > 0 && period > 0)
    return static_cast<int>(std::min<long long>((quota + period - 1) / period, kMaxCpus));
#endif
  return 0;
}

}  // namespace

int usable_cpus() {
  int cpus = static_cast<int>(std::thread::hardware_concurrency());
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) cpus = CPU_COUNT(&set);
#endif
  const int limit = container_cpu_limit();
  if (limit > 0) cpus = std::min(cpus, limit);
  return std::clamp(cpus, 1, kMaxCpus);
}

#if defined(__linux__)

void CpuDetour::begin(std::thread& thread) {
  if (under_way_ || pthread_getaffinity_np(thread.native_handle(), sizeof before_, &before_) != 0) return;
  const int here = sched_getcpu();
  if (here < 0 || here >= CPU_SETSIZE || CPU_COUNT(&before_) < 2) return;
  cpu_set_t others = before_;
  CPU_CLR(here, &others);
  under_way_ = pthread_setaffinity_np(thread.native_handle(), sizeof others, &others) == 0;
}

void CpuDetour::end() {
  if (under_way_) pthread_setaffinity_np(pthread_self(), sizeof before_, &before_);
  under_way_ = false;
}

#else

void CpuDetour::begin(std::thread&) {}
void CpuDetour::end() {}

#endif

}  // namespace deberta
