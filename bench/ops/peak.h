// What the arithmetic units and the memory of this machine can do at most: loops that do nothing else.
#pragma once

#include <string>
#include <vector>

namespace deberta::bench {

/// One kind of arithmetic that this CPU can run.
struct PeakLoop {
  std::string name;   // "fma512", "vnni512", ...
  double operations;  // of one iteration of `run`
  void (*run)(long iterations);
};

/// The loops that this CPU can run.
std::vector<PeakLoop> peak_loops();

/// Operations per second on `threads` threads at once: the best of a few runs of about 30 ms. One thread is timed by
/// its own CPU clock, so that what else runs on the machine counts for little.
double measure_peak(const PeakLoop& loop, int threads);

/// Bytes per second that `threads` threads read, each from a buffer of its own of `bytes`.
double measure_read(size_t bytes, int threads);

}  // namespace deberta::bench
