// Disentangled attention of DeBERTa-v3-base (12 heads of 64, 256 buckets over 512 positions) through the op table:
// `attention_bench [isa] [compute dtype] [threads] [workload]`, a workload as it is printed: "32x128", "ragged".
// Checked against the reference backend first. Operations are counted as the least that the formula needs: Q K^T and P
// V, and one product per query (key) and distinct row of the tables within its reach. "plain" is the same without
// positions. The larger batches do not fit in the second-level cache: their rows come from farther away, as they do in
// the model.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "peak.h"

namespace {

using namespace deberta;

constexpr int kHeads = 12, kHeadDim = 64, kFeatures = kHeads * kHeadDim;
constexpr int32_t kRows = 512, kMaxDistance = 512;

/// Seconds: of processor time on one thread, which other processes do not disturb; else of the clock on the wall.
double now(int threads) {
  if (threads == 1) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<int32_t> bucket_rows() {
  std::vector<int32_t> rows;
  for (int32_t d = -kMaxDistance; d <= kMaxDistance; ++d) {
    const double steps = std::log(std::max(std::abs(d), 128) / 128.0) / std::log(511 / 128.0) * 127;
    const int32_t bucket = std::abs(d) <= 128 ? d : (d > 0 ? 1 : -1) * (static_cast<int32_t>(std::ceil(steps)) + 128);
    rows.push_back(std::clamp(bucket + 256, 0, kRows - 1));
  }
  return rows;
}

int32_t row_of(const std::vector<int32_t>& rows, int64_t distance) {
  return rows[static_cast<size_t>(std::clamp<int64_t>(distance, -kMaxDistance, kMaxDistance) + kMaxDistance)];
}

/// A batch: the lengths of its sequences.
struct Workload {
  std::string name;
  std::vector<int64_t> lengths;

  Workload(int64_t sequences, int64_t length)
      : name(std::to_string(sequences) + "x" + std::to_string(length)),
        lengths(static_cast<size_t>(sequences), length) {}
  Workload(const char* n, std::vector<int64_t> l) : name(n), lengths(std::move(l)) {}

  int64_t tokens() const { return std::accumulate(lengths.begin(), lengths.end(), int64_t{0}); }
  int64_t longest() const { return *std::max_element(lengths.begin(), lengths.end()); }
};

/// Mostly short, a few long: 32 lengths from 5 to 118.
Workload ragged() {
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 32; ++i) lengths.push_back(5 + 113 * (i * 13 % 32) * (i * 13 % 32) / (31 * 31));
  return {"ragged", lengths};
}

std::vector<Workload> workloads() {
  return {{1, 16},   {128, 16}, {1, 64},  {32, 64}, ragged(),  {1, 128},
          {16, 128}, {32, 128}, {1, 512}, {4, 512}, {1, 2048}, {1, 8192}};
}

/// 2 operations per multiply-add, of one sequence and all heads.
double least_operations(const std::vector<int32_t>& rows, int64_t length, bool plain) {
  double products = 2.0 * static_cast<double>(length) * static_cast<double>(length);
  for (int64_t i = 0; i < length && !plain; ++i) {  // the rows are without gaps: the ends say how many there are
    products += 2.0 * (row_of(rows, i) - row_of(rows, i - length + 1) + 1);
  }
  return products * 2 * kFeatures;
}

std::vector<float> random_values(int64_t count, float scale) {
  std::vector<float> values(static_cast<size_t>(count));
  uint32_t state = 12345;
  for (float& value : values) {
    state = state * 1664525u + 1013904223u;
    value = (static_cast<float>(state >> 8) / (1 << 24) - 0.5f) * scale;
  }
  return values;
}

/// A backend with the position tables packed, and room for one batch.
struct Bench {
  const Backend& backend;
  OpContext* context;
  std::vector<int32_t> rows = bucket_rows();
  PackedPositions* positions = nullptr;
  float* qkv = nullptr;     // [tokens, 3 * kFeatures], memory as the model has it
  float* output = nullptr;  // [tokens, kFeatures]

  Bench(const Backend& b, const ContextOptions& options) : backend(b), context(b.create_context(options)) {
    const std::vector<float> tables = random_values(2 * kRows * kFeatures, 1.0f);
    PositionsArgs args;
    args.pos_key = {tables.data(), kRows, kFeatures, kFeatures};
    args.pos_query = {tables.data() + kRows * kFeatures, kRows, kFeatures, kFeatures};
    args.index = {rows.data(), kMaxDistance, kRows};
    args.num_heads = kHeads;
    args.head_dim = kHeadDim;
    positions = backend.pack_positions(context, args);
  }
  ~Bench() {
    backend.deallocate(context, qkv);
    backend.deallocate(context, output);
    backend.free_positions(context, positions);
    backend.destroy_context(context);
  }

  void resize(const Workload& workload) {
    const int64_t tokens = workload.tokens();
    for (float* memory : {qkv, output}) {
      if (memory) backend.deallocate(context, memory);
    }
    const std::vector<float> values = random_values(tokens * 3 * kFeatures, 4.0f);
    qkv = static_cast<float*>(backend.allocate(context, values.size() * sizeof(float)));
    output = static_cast<float*>(backend.allocate(context, values.size() / 3 * sizeof(float)));
    std::copy(values.begin(), values.end(), qkv);
    backend.reserve(context, {tokens, workload.longest(), static_cast<int64_t>(workload.lengths.size()), kFeatures,
                              kHeads, kHeadDim});
  }

  void run(const Workload& workload, bool plain) {
    std::vector<int32_t> cu_seqlens{0};
    for (const int64_t length : workload.lengths) {
      cu_seqlens.push_back(cu_seqlens.back() + static_cast<int32_t>(length));
    }
    const int64_t tokens = workload.tokens();
    AttentionArgs args;
    args.query = {qkv, tokens, kFeatures, 3 * kFeatures};
    args.key = {qkv + kFeatures, tokens, kFeatures, 3 * kFeatures};
    args.value = {qkv + 2 * kFeatures, tokens, kFeatures, 3 * kFeatures};
    args.positions = plain ? nullptr : positions;
    args.cu_seqlens = cu_seqlens.data();
    args.num_sequences = static_cast<int64_t>(workload.lengths.size());
    args.max_seqlen = workload.longest();
    args.num_heads = kHeads;
    args.head_dim = kHeadDim;
    args.scale = 1.0f / std::sqrt(3.0f * kHeadDim);
    args.output = {output, tokens, kFeatures, kFeatures};
    backend.disentangled_attention(context, args);
    backend.synchronize(context);
  }

  double best_seconds(const Workload& workload, bool plain, int threads) {
    double best = 1e30, spent = 0;
    for (int i = 0; i < 400 && (spent < 0.5 || i < 3); ++i) {
      const double start = now(threads);
      run(workload, plain);
      const double seconds = now(threads) - start;
      spent += seconds;
      best = std::min(best, seconds);
    }
    return best;
  }
};

/// The largest difference from the reference, of the largest magnitude.
double error_against_reference(Bench& bench, int64_t length, bool plain) {
  const Workload workload(1, length);
  Bench reference(reference_backend(), {});
  reference.resize(workload);
  reference.run(workload, plain);
  bench.resize(workload);
  bench.run(workload, plain);
  double error = 0, largest = 0;
  for (int64_t i = 0; i < length * kFeatures; ++i) {
    error = std::max(error, std::fabs(static_cast<double>(bench.output[i]) - reference.output[i]));
    largest = std::max(largest, std::fabs(static_cast<double>(reference.output[i])));
  }
  return error / largest;
}

const bench::PeakLoop& float_peak(const std::vector<bench::PeakLoop>& loops, const std::string& isa) {
  const char* name = isa == "scalar" ? "mul+add128" : isa.starts_with("avx2") ? "fma256" : "fma512";
  return *std::find_if(loops.begin(), loops.end(), [&](const bench::PeakLoop& loop) { return loop.name == name; });
}

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int i, const char* otherwise) { return std::string(argc > i ? argv[i] : otherwise); };
  ContextOptions options;
  const bool bf16 = argument(2, "float32") == "bfloat16";
  options.compute_dtype = bf16 ? DType::kBFloat16 : DType::kFloat32;
  options.threads = std::atoi(argument(3, "1").c_str());
  const std::string only = argument(4, "");
  Bench bench(cpu_backend(argument(1, "")), options);
  const std::vector<bench::PeakLoop> loops = bench::peak_loops();
  const bench::PeakLoop& loop = float_peak(loops, bench.backend.detail);

  for (const int64_t length : {17, 600}) {
    const double error = error_against_reference(bench, length, false);
    std::printf("%s, length %ld: error %.1e of the largest magnitude\n", bench.backend.detail,
                static_cast<long>(length), error);
    if (!(error < (bf16 ? 2e-2 : 4e-6))) return 1;
  }
  for (const bool plain : {false, true}) {
    for (const Workload& workload : workloads()) {
      if (!only.empty() && workload.name != only) continue;
      const double peak = bench::measure_peak(loop, std::max(1, options.threads));
      bench.resize(workload);
      const double seconds = bench.best_seconds(workload, plain, options.threads);
      double operations = 0;
      for (const int64_t length : workload.lengths) operations += least_operations(bench.rows, length, plain);
      std::printf("%s %8s  %10.1f us  %6.1f GF/s  %5.1f %% of float32 peak %.0f\n",
                  plain ? "plain       " : "disentangled", workload.name.c_str(), seconds * 1e6,
                  operations / seconds / 1e9, 100 * operations / seconds / peak, peak / 1e9);
    }
  }
}
