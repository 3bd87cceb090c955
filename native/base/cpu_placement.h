// Which CPUs this process may use, and help for threads that the scheduler queued on the wrong one.
#pragma once

#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif

namespace deberta {

/// CPUs that this process may use at once: its affinity mask, and the container's limit rounded up. In [1, 1024].
int usable_cpus();

/// Keeps a thread off one CPU for a while.
///
/// A woken thread may be queued behind the very thread that woke it while another CPU is idle; the scheduler notices at
/// one of its next ticks, 4 ms each, which is the length of a whole forward. Does nothing where threads cannot be
/// placed.
class CpuDetour {
 public:
  /// Keeps `thread` off the CPU that the caller runs on, if it may use others.
  void begin(std::thread& thread);

  /// Lets the calling thread, for which the detour was begun, use the CPUs it could use before. The caller sees to it
  /// that begin() and end() do not run at once.
  void end();

#if defined(__linux__)
 private:
  cpu_set_t before_;
  bool under_way_ = false;
#endif
};

}  // namespace deberta
