// Prints the ceilings of this machine: `peak_bench`. `peak_bench --json THREADS` prints what the harness reads: the
// best rate of each number format on so many threads, in G operations per second, and those of single loops.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "base/cpu_features.h"
#include "peak.h"

namespace {

using namespace deberta;
using namespace deberta::bench;

/// The number format that a loop computes in, as the package calls it.
std::string format_of(const std::string& loop) {
  if (loop.find("bf16") != std::string::npos) return "bfloat16";
  return loop.find("vnni") != std::string::npos || loop.find("int8") != std::string::npos ? "int8" : "float32";
}

void print_json(int threads) {
  std::map<std::string, double> best;
  std::string loops;
  for (const PeakLoop& loop : peak_loops()) {
    const double measured = measure_peak(loop, threads) / 1e9;
    double& rate = best[format_of(loop.name)];
    rate = std::max(rate, measured);
    loops += (loops.empty() ? "\"" : ", \"") + loop.name + "\": " + std::to_string(measured);
  }
  const char* separator = "{";
  for (const auto& [format, rate] : best) {
    std::printf("%s\"%s\": %.1f", separator, format.c_str(), rate);
    separator = ", ";
  }
  std::printf("%s\"loops\": {%s}}\n", separator, loops.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--json") == 0) {
    print_json(std::atoi(argv[2]));
    return 0;
  }
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
