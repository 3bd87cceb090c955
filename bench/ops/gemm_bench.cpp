// The linear layers of DeBERTa-v3-base through the op table: `gemm_bench [isa] [compute dtype] [stored dtype]
// [threads]`. Twelve layers of weights, so that small batches read them from memory. Prints GF/s beside the peak
// measured just before.
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "peak.h"

namespace {

using namespace deberta;
using Clock = std::chrono::steady_clock;

constexpr int64_t kShapes[4][2] = {{768, 2304}, {768, 768}, {768, 3072}, {3072, 768}};  // in, out
constexpr int kLayers = 12;

DType parse_dtype(const std::string& name) {
  if (name == "float16") return DType::kFloat16;
  if (name == "bfloat16") return DType::kBFloat16;
  if (name == "int8") return DType::kInt8;
  return DType::kFloat32;
}

std::vector<std::byte> random_weights(int64_t count, DType dtype) {
  std::vector<std::byte> bytes(static_cast<size_t>(count) * dtype_size(dtype));
  uint32_t state = 12345;
  for (int64_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const float value = (static_cast<float>(state >> 8) / (1 << 24) - 0.5f) * 0.1f;
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    const uint16_t brain = static_cast<uint16_t>(bits >> 16),
                   half = static_cast<uint16_t>(0x2000 | (state >> 16 & 0x83ff));
    const void* from = dtype == DType::kFloat32   ? static_cast<const void*>(&value)
                       : dtype == DType::kFloat16 ? &half
                                                  : &brain;
    std::memcpy(bytes.data() + static_cast<size_t>(i) * dtype_size(dtype), from, dtype_size(dtype));
  }
  return bytes;
}

struct Stack {
  const Backend& backend;
  OpContext* context;
  std::vector<PackedLinear*> linears;  // kLayers * 4
  float* input;
  float* output;

  void run(int64_t rows) const {
    for (int layer = 0; layer < kLayers; ++layer) {
      for (int s = 0; s < 4; ++s) {
        LinearArgs args;
        args.input = {input, rows, kShapes[s][0], kShapes[s][0]};
        args.weight = linears[static_cast<size_t>(layer * 4 + s)];
        args.activation = s == 2 ? Activation::kGelu : Activation::kNone;
        args.output = {output, rows, kShapes[s][1], kShapes[s][1]};
        backend.linear(context, args);
      }
    }
    backend.synchronize(context);
  }
};

/// One thread is timed by its own CPU clock: what else runs on the machine then counts for little.
double seconds_now(int threads) {
  if (threads != 1) return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double best_seconds(const Stack& stack, int64_t rows, int threads) {
  double best = 1e30, spent = 0;
  for (int run = 0; run < 40 && (spent < 0.6 || run < 2); ++run) {
    const double start = seconds_now(threads);
    stack.run(rows);
    const double seconds = seconds_now(threads) - start;
    spent += seconds;
    best = std::min(best, seconds);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, const char* otherwise) { return std::string(argc > i ? argv[i] : otherwise); };
  const Backend& backend = cpu_backend(argument(1, ""));
  ContextOptions options;
  options.compute_dtype = parse_dtype(argument(2, "float32"));
  options.threads = std::atoi(argument(4, "0").c_str());
  OpContext* context = backend.create_context(options);
  constexpr int64_t kMaxRows = 4096;
  backend.reserve(context, {kMaxRows, 128, 32, 3072, 12, 64});

  const DType stored = parse_dtype(argument(3, "float32"));
  Stack stack{backend, context, {}, nullptr, nullptr};
  double weights = 0;
  const auto bytes = random_weights(3072 * 768, stored);
  for (int i = 0; i < kLayers * 4; ++i) {
    LinearPart part;
    part.weight = {bytes.data(), stored, kShapes[i % 4][1], kShapes[i % 4][0]};
    stack.linears.push_back(backend.pack_linear(context, &part, 1));
    weights += static_cast<double>(part.weight.rows) * static_cast<double>(part.weight.cols);
  }
  stack.input = static_cast<float*>(backend.allocate(context, kMaxRows * 3072 * sizeof(float)));
  stack.output = static_cast<float*>(backend.allocate(context, kMaxRows * 3072 * sizeof(float)));
  for (int64_t i = 0; i < kMaxRows * 3072; ++i) stack.input[i] = static_cast<float>(i * 7919 % 1013) / 1013.0f - 0.5f;

  const int threads = options.threads == 0 ? 2 : options.threads;
  const bench::PeakLoop* fma = nullptr;
  const auto loops = bench::peak_loops();
  for (const auto& loop : loops) {
    const bool avx2 = std::string(backend.detail).starts_with("avx2");
    if (loop.name == (backend.detail == std::string("scalar") ? "mul+add128" : avx2 ? "fma256" : "fma512")) fma = &loop;
  }
  std::printf("%s, weights %.1f MiB packed\n", backend.detail,
              static_cast<double>(backend.packed_bytes(context)) / (1 << 20));
  std::vector<int64_t> row_counts = {1, 16, 32, 64, 128, 512, 2048};
  if (argc > 5) row_counts = {std::atol(argv[5])};
  for (const int64_t rows : row_counts) {
    const double peak = bench::measure_peak(*fma, threads);
    const double seconds = best_seconds(stack, rows, threads), flops = 2 * weights * static_cast<double>(rows);
    std::printf("rows %5ld  %8.2f ms  %7.1f GF/s  %5.1f %% of float32 peak %6.1f  weights %5.1f GB/s\n",
                static_cast<long>(rows), seconds * 1e3, flops / seconds / 1e9, 100 * flops / seconds / peak, peak / 1e9,
                static_cast<double>(backend.packed_bytes(context)) / seconds / 1e9);
  }
  for (PackedLinear* linear : stack.linears) backend.free_linear(context, linear);
  backend.deallocate(context, stack.input);
  backend.deallocate(context, stack.output);
  backend.destroy_context(context);
}
