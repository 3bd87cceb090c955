// Prints the ceilings of this machine: `peak_bench`.
#include <cstdio>

#include "base/cpu_features.h"
#include "peak.h"

int main() {
  using namespace deberta;
  using namespace deberta::bench;
  for (const PeakLoop& loop : peak_loops()) {
    std::printf("%-12s", loop.name.c_str());
    for (const int threads : {1, 2}) std::printf("  %d threads %7.1f G/s", threads, measure_peak(loop, threads) / 1e9);
    std::printf("\n");
  }
  const CacheSizes& caches = cpu_caches();
  std::printf("caches: L1 %zu KiB, L2 %zu KiB, L3 %zu KiB\n", caches.l1 >> 10, caches.l2 >> 10, caches.l3 >> 10);
  for (const size_t kib : {32, 768, 8192, 262144}) {
    std::printf("read %6zu KiB", kib);
    for (const int threads : {1, 2})
      std::printf("  %d threads %6.1f GB/s", threads, measure_read(kib << 10, threads) / 1e9);
    std::printf("\n");
  }
}
