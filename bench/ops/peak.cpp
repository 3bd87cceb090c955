#include "peak.h"

#include <immintrin.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>

#include "base/cpu_features.h"

namespace deberta::bench {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Twelve independent sums (sixteen for bfloat16's longer latency) hide latencies; with two operands they fit the
// registers.
#define DEBERTA_PEAK_LOOP(name, isa, sums_in_flight, type, constraint, zero, instruction)                 \
  __attribute__((target(isa))) void name(long iterations) {                                               \
    const type a = zero, b = zero;                                                                        \
    type sums[sums_in_flight];                                                                            \
    for (type & sum : sums) sum = zero;                                                                   \
    for (long i = 0; i < iterations; ++i) {                                                               \
      _Pragma("GCC unroll 16") for (type & sum : sums) {                                                  \
        __asm__ volatile(instruction " %1, %2, %0" : "+" constraint(sum) : constraint(a), constraint(b)); \
      }                                                                                                   \
    }                                                                                                     \
  }

DEBERTA_PEAK_LOOP(fma128, "sse2", 12, __m128, "x", _mm_setzero_ps(), "mulps %2, %0; addps %1, %0 #")
DEBERTA_PEAK_LOOP(fma256, "avx2,fma", 12, __m256, "x", _mm256_setzero_ps(), "vfmadd231ps")
DEBERTA_PEAK_LOOP(vnni256, "avxvnni", 12, __m256i, "x", _mm256_setzero_si256(), "%{vex%} vpdpbusd")
DEBERTA_PEAK_LOOP(fma512, "avx512f", 16, __m512, "v", _mm512_setzero_ps(), "vfmadd231ps")
DEBERTA_PEAK_LOOP(bf16_512, "avx512f,avx512bf16", 16, __m512, "v", _mm512_setzero_ps(), "vdpbf16ps")
DEBERTA_PEAK_LOOP(vnni512, "avx512f,avx512vnni", 16, __m512i, "v", _mm512_setzero_si512(), "vpdpbusd")

// Six independent sums of 16 x 16; one tile product is 16 x 16 x (64 bytes of operands) multiplications and additions.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
TileConfig tile_config;  // in memory: GCC 12 does not know that _tile_loadconfig reads what it points to

#define DEBERTA_TILE_LOOP(name, product)                                             \
  __attribute__((target("amx-tile,amx-bf16,amx-int8"))) void name(long iterations) { \
    _tile_loadconfig(&tile_config);                                                  \
    _tile_zero(6);                                                                   \
    _tile_zero(7);                                                                   \
    for (long i = 0; i < iterations; ++i) {                                          \
      product(0, 6, 7);                                                              \
      product(1, 6, 7);                                                              \
      product(2, 6, 7);                                                              \
      product(3, 6, 7);                                                              \
      product(4, 6, 7);                                                              \
      product(5, 6, 7);                                                              \
    }                                                                                \
    _tile_release();                                                                 \
  }

DEBERTA_TILE_LOOP(amx_bf16, _tile_dpbf16ps)
DEBERTA_TILE_LOOP(amx_int8, _tile_dpbusd)

/// Runs `work` on every thread at once; the time from the first start to the last end.
template <class Work>
double run_together(int threads, Work&& work) {
  std::atomic<int> ready{0};
  std::vector<Clock::time_point> starts(static_cast<size_t>(threads)), ends(static_cast<size_t>(threads));
  std::vector<std::thread> all;
  for (int t = 0; t < threads; ++t) {
    all.emplace_back([&, t] {
      ++ready;
      while (ready < threads) _mm_pause();
      starts[static_cast<size_t>(t)] = Clock::now();
      work(t);
      ends[static_cast<size_t>(t)] = Clock::now();
    });
  }
  for (std::thread& thread : all) thread.join();
  return std::chrono::duration<double>(*std::max_element(ends.begin(), ends.end()) -
                                       *std::min_element(starts.begin(), starts.end()))
      .count();
}

constexpr int kRuns = 7;
volatile uint64_t sink;  // keeps reads from being dropped

void read_buffer(const uint64_t* words, size_t count, long repeats) {
  uint64_t sums[8] = {};
  for (long r = 0; r < repeats; ++r) {
    for (size_t i = 0; i + 64 <= count; i += 64) {
      for (size_t line = 0; line < 8; ++line) sums[line] ^= words[i + line * 8];  // one word of every line
    }
  }
  for (const uint64_t sum : sums) sink = sum;
}

}  // namespace

std::vector<PeakLoop> peak_loops() {
  const CpuFeatures& cpu = cpu_features();
  std::vector<PeakLoop> loops = {{"mul+add128", 12 * 8, fma128}};
  if (cpu.avx2) loops.push_back({"fma256", 12 * 16, fma256});
  if (cpu.avx_vnni) loops.push_back({"vnni256", 12 * 64, vnni256});
  if (cpu.avx512) loops.push_back({"fma512", 16 * 32, fma512});
  if (cpu.avx512_bf16) loops.push_back({"bf16_512", 16 * 64, bf16_512});
  if (cpu.avx512_vnni) loops.push_back({"vnni512", 16 * 128, vnni512});
  if (cpu.amx) {
    loops.push_back({"amx_bf16", 6 * 2.0 * 16 * 16 * 32, amx_bf16});
    loops.push_back({"amx_int8", 6 * 2.0 * 16 * 16 * 64, amx_int8});
  }
  return loops;
}

double measure_peak_alone(const PeakLoop& loop) {
  const auto cpu_seconds = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  constexpr long kIterations = 200000;
  double best = 0;
  for (int run = 0; run < 10 * kRuns; ++run) {
    const double start = cpu_seconds();
    loop.run(kIterations);
    best = std::max(best, loop.operations * kIterations / (cpu_seconds() - start));
  }
  return best;
}

double measure_peak(const PeakLoop& loop, int threads) {
  if (threads == 1) return measure_peak_alone(loop);
  const Clock::time_point start = Clock::now();
  loop.run(1000000);
  const long iterations = static_cast<long>(1e6 * 0.03 / seconds_since(start));
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const double seconds = run_together(threads, [&](int) { loop.run(iterations); });
    best = std::max(best, loop.operations * static_cast<double>(iterations) * threads / seconds);
  }
  return best;
}

double measure_read(size_t bytes, int threads) {
  std::vector<std::unique_ptr<uint64_t[]>> buffers;
  for (int t = 0; t < threads; ++t) {
    buffers.push_back(std::make_unique<uint64_t[]>(bytes / 8));
    std::memset(buffers.back().get(), 1, bytes);
  }
  const long repeats = std::max<long>(1, static_cast<long>((size_t{1} << 28) / bytes));
  double best = 0;
  for (int run = 0; run < kRuns; ++run) {
    const double seconds =
        run_together(threads, [&](int t) { read_buffer(buffers[static_cast<size_t>(t)].get(), bytes / 8, repeats); });
    best = std::max(best, static_cast<double>(bytes) * static_cast<double>(repeats) * threads / seconds);
  }
  return best;
}

}  // namespace deberta::bench
