// Attention where the op suite does not reach: every edge of its tiles, both saturated sides of the released models'
// table, gapped queries far apart, tables that skip rows, scores beyond what exp can hold, and the memory it asks for.
#include "backends/cpu/attention.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/attention_block.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "doctest/doctest.h"

namespace deberta {
namespace {

// Of the largest magnitude of the output. bfloat16: operands are off by 2^-9 of themselves, each weight of the softmax
// by as much and by e to the power of what its score is off.
constexpr double kTolerance = 4e-6;
constexpr double kBfloat16Tolerance = 2e-2;

struct Index {
  std::vector<int32_t> rows;
  int32_t max_distance;
  int32_t num_rows;
};

/// Log buckets of the released v2 and v3 models, clamped to the table: 256 buckets, 512 positions. Distances beyond 504
/// and at -512 and below are saturated.
Index released_index() {
  Index index{{}, 600, 512};
  for (int32_t d = -600; d <= 600; ++d) {
    const int32_t size = std::max(std::abs(d), 127);
    const double steps = std::log(size / 128.0) / std::log(511 / 128.0) * 127;
    const int32_t bucket = size <= 128 ? d : (d > 0 ? 1 : -1) * (static_cast<int32_t>(std::ceil(steps)) + 128);
    index.rows.push_back(std::clamp(bucket + 256, 0, 511));
  }
  return index;
}

Index clamped_index(int32_t span, int32_t step) {
  Index index{{}, span, 2 * span * step + 1};
  for (int32_t d = -span; d <= span; ++d) index.rows.push_back((d + span) * step);
  return index;
}

struct Case {
  std::vector<int32_t> lengths;
  Index index;
  int num_heads = 1;
  int head_dim = 32;
  bool c2p = true;
  bool p2c = true;
  std::vector<std::vector<int32_t>> queries = {};  // positions for each sequence; empty: all tokens
  float magnitude = 1.0f;
};

struct Result {
  std::vector<float> output;  // [query rows, features]
  std::vector<float> maps;
};

std::vector<float> random_values(int64_t count, float magnitude, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, magnitude);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

std::vector<int32_t> running_sum(const std::vector<int32_t>& lengths) {
  std::vector<int32_t> sums{0};
  for (const int32_t length : lengths) sums.push_back(sums.back() + length);
  return sums;
}

const PackedPositions* pack(const Backend& backend, OpContext* context, const Case& c) {
  const int64_t features = static_cast<int64_t>(c.num_heads) * c.head_dim;
  const std::vector<float> pos_key = random_values(c.index.num_rows * features, c.magnitude, 1);
  const std::vector<float> pos_query = random_values(c.index.num_rows * features, c.magnitude, 2);
  PositionsArgs args;
  if (c.c2p) args.pos_key = {pos_key.data(), c.index.num_rows, features, features};
  if (c.p2c) args.pos_query = {pos_query.data(), c.index.num_rows, features, features};
  args.index = {c.index.rows.data(), c.index.max_distance, c.index.num_rows};
  args.num_heads = c.num_heads;
  args.head_dim = c.head_dim;
  return backend.pack_positions(context, args);
}

struct RunOptions {
  bool with_maps = false;
  int threads = 0;
  DType dtype = DType::kFloat32;
};

Result run(const Backend& backend, const Case& c, const RunOptions& run_options = {}) {
  const bool with_maps = run_options.with_maps;
  const int64_t features = static_cast<int64_t>(c.num_heads) * c.head_dim;
  const std::vector<int32_t> cu_seqlens = running_sum(c.lengths);
  std::vector<int32_t> query_counts, positions;
  for (const std::vector<int32_t>& queries : c.queries) {
    query_counts.push_back(static_cast<int32_t>(queries.size()));
    positions.insert(positions.end(), queries.begin(), queries.end());
  }
  const std::vector<int32_t> query_cu_seqlens = running_sum(c.queries.empty() ? c.lengths : query_counts);
  const int64_t tokens = cu_seqlens.back(), query_rows = query_cu_seqlens.back();
  const int32_t longest = *std::max_element(c.lengths.begin(), c.lengths.end());
  const std::vector<float> query = random_values(query_rows * features, c.magnitude, 3);
  const std::vector<float> key = random_values(tokens * features, c.magnitude, 4);
  const std::vector<float> value = random_values(tokens * features, 1.0f, 5);
  std::vector<int64_t> offsets;
  int64_t map_size = 0;
  for (size_t s = 0; s < c.lengths.size(); ++s) {
    offsets.push_back(map_size);
    map_size += static_cast<int64_t>(c.num_heads) * (query_cu_seqlens[s + 1] - query_cu_seqlens[s]) * c.lengths[s];
  }
  Result result;
  result.output.assign(static_cast<size_t>(query_rows * features), NAN);
  result.maps.assign(with_maps ? static_cast<size_t>(map_size) : 0, NAN);

  ContextOptions options;
  options.threads = run_options.threads;
  options.compute_dtype = run_options.dtype;
  OpContext* context = backend.create_context(options);
  backend.reserve(context,
                  {tokens, longest, static_cast<int64_t>(c.lengths.size()), features, c.num_heads, c.head_dim});
  AttentionArgs args;
  args.query = {query.data(), query_rows, features, features};
  args.key = {key.data(), tokens, features, features};
  args.value = {value.data(), tokens, features, features};
  args.positions = c.c2p || c.p2c ? pack(backend, context, c) : nullptr;
  args.cu_seqlens = cu_seqlens.data();
  args.num_sequences = static_cast<int64_t>(c.lengths.size());
  args.max_seqlen = longest;
  args.query_cu_seqlens = c.queries.empty() ? nullptr : query_cu_seqlens.data();
  args.query_positions = c.queries.empty() ? nullptr : positions.data();
  args.num_heads = c.num_heads;
  args.head_dim = c.head_dim;
  args.scale = 1.0f / std::sqrt(3.0f * static_cast<float>(c.head_dim));
  args.probabilities = with_maps ? result.maps.data() : nullptr;
  args.probability_offsets = offsets.data();
  args.output = {result.output.data(), query_rows, features, features};
  backend.disentangled_attention(context, args);
  backend.synchronize(context);
  if (args.positions) backend.free_positions(context, const_cast<PackedPositions*>(args.positions));
  CHECK(backend.packed_bytes(context) == 0);
  backend.destroy_context(context);
  return result;
}

/// The largest error, of the largest magnitude; infinite where something is not a number.
double relative_error(const std::vector<float>& got, const std::vector<float>& wanted) {
  double error = 0.0, largest = 0.0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double e = std::fabs(static_cast<double>(got[i]) - wanted[i]);
    error = std::isfinite(e) ? std::max(error, e) : INFINITY;
    largest = std::max(largest, std::fabs(static_cast<double>(wanted[i])));
  }
  return error / largest;
}

/// The instruction sets of this machine that have attention kernels of their own.
std::vector<std::string> distinct_instruction_sets() {
  std::vector<std::string> names;
  std::vector<int> widths;
  for (const std::string& isa : cpu_instruction_sets()) {
    OpContext* context = cpu_backend(isa).create_context({});
    const int width = as_cpu(context).kernels->attention.width;
    cpu_backend(isa).destroy_context(context);
    if (std::find(widths.begin(), widths.end(), width) != widths.end()) continue;
    widths.push_back(width);
    names.push_back(isa);
  }
  return names;
}

std::vector<std::string> bfloat16_instruction_sets() {
  std::vector<std::string> names;
  for (const std::string& isa : cpu_instruction_sets()) {
    const std::vector<std::string> dtypes = cpu_compute_dtypes(cpu_backend(isa));
    if (std::find(dtypes.begin(), dtypes.end(), "bfloat16") != dtypes.end()) names.push_back(isa);
  }
  return names;
}

/// Every instruction set of this machine against the reference.
void check(const Case& c) {
  const Result wanted = run(reference_backend(), c);
  for (const std::string& isa : distinct_instruction_sets()) {
    CAPTURE(isa);
    CHECK(relative_error(run(cpu_backend(isa), c).output, wanted.output) < kTolerance);
  }
  for (const std::string& isa : bfloat16_instruction_sets()) {
    CAPTURE(isa);
    const std::vector<float> got = run(cpu_backend(isa), c, {.dtype = DType::kBFloat16}).output;
    CHECK(relative_error(got, wanted.output) < kBfloat16Tolerance);
  }
}

TEST_CASE("lengths around every edge of strips, tiles and blocks") {
  for (const int32_t edge : {4, 8, 16, 32, 64, kKeyTile, kQueryBlock, kQueryBlock + kKeyTile, 2 * kQueryBlock}) {
    CAPTURE(edge);
    check({{edge - 1, edge, edge + 1}, released_index()});
  }
}

TEST_CASE("sequences that reach into the far field on both sides") {
  for (const int32_t length : {504, 505, 506, 511, 512, 513, 640, 769, 1153}) {
    CAPTURE(length);
    check({{length}, released_index()});
  }
}

TEST_CASE("the far field with one position term alone") {
  check({{901}, released_index(), 1, 32, true, false, {}, 1.0f});
  check({{901}, released_index(), 1, 32, false, true, {}, 1.0f});
}

TEST_CASE("spans that end at and beside the edges of tiles and vectors") {
  for (const int32_t edge : {1, 4, 8, 16, 32, 128, 256}) {
    for (const int32_t span : {edge - 1, edge, edge + 1}) {
      CAPTURE(span);
      check({{300, 17}, clamped_index(span, 1), 1, 16});
    }
  }
}

TEST_CASE("tables that skip rows between neighbouring distances") {
  check({{300, 40}, clamped_index(45, 3), 2, 16});
  Index uneven{{}, 9, 64};  // single steps, repeats and jumps side by side
  uneven.rows = {0, 0, 5, 6, 6, 6, 7, 20, 21, 22, 22, 30, 31, 33, 35, 36, 36, 60, 63};
  check({{300, 5, 33}, uneven, 2, 20});
}

TEST_CASE("head sizes on and off the vectors, several heads") {
  for (const int head_dim : {1, 7, 16, 20, 33, 48, 64, 96, 128, 130}) {
    CAPTURE(head_dim);
    check({{33, 150}, released_index(), 3, head_dim});
  }
}

TEST_CASE("gapped queries: alone, at both ends, dense, more than a block apart, none") {
  std::vector<int32_t> all;
  for (int32_t i = 0; i < 700; ++i) all.push_back(i);
  std::vector<int32_t> some;
  for (int32_t i = 3; i < 700; i += i % 5 + 1) some.push_back(i);
  Case c{{700, 700, 700, 1, 700}, released_index()};
  c.queries = {{699}, {0, 255, 256, 699}, all, {}, some};
  check(c);
  c.c2p = false;
  check(c);
  c.c2p = c.p2c = false;
  check(c);
}

TEST_CASE("scores of any magnitude give finite outputs and weights that sum to one") {
  Case c{{257, 3}, released_index(), 2, 64};
  for (const float magnitude : {1e-20f, 1e-3f, 30.0f, 1e4f, 1e8f}) {
    CAPTURE(magnitude);
    c.magnitude = magnitude;
    for (const std::string& isa : distinct_instruction_sets()) {
      CAPTURE(isa);
      const Result result = run(cpu_backend(isa), c, {.with_maps = true});
      CHECK(std::all_of(result.output.begin(), result.output.end(), [](float x) { return std::isfinite(x); }));
      double worst = 0.0;
      for (size_t row = 0; row < 2 * 257; ++row) {
        double sum = 0.0;
        for (size_t j = 0; j < 257; ++j) sum += result.maps[row * 257 + j];
        worst = std::max(worst, std::fabs(sum - 1.0));
      }
      CHECK(worst < 1e-6);
    }
  }
}

TEST_CASE("maps are the reference's, and asking for them changes no bit of the output") {
  Case c{{300, 1, 17}, released_index(), 2, 16};
  for (const bool gapped : {false, true}) {
    if (gapped) c.queries = {{0, 7, 8, 299}, {0}, {2, 16}};
    const Result wanted = run(reference_backend(), c, {.with_maps = true});
    for (const std::string& isa : distinct_instruction_sets()) {
      CAPTURE(isa);
      const Result got = run(cpu_backend(isa), c, {.with_maps = true});
      CHECK(relative_error(got.maps, wanted.maps) < kTolerance);
      CHECK(got.output == run(cpu_backend(isa), c, {.threads = 1}).output);
    }
  }
}

TEST_CASE("heads that are not a multiple of the heads whose tables share the cache") {
  check({{700, 1, 33, 260}, released_index(), 5, 64});
}

/// One sequence alone on one thread, and first in a batch on all threads.
void check_independence(const std::string& isa, int32_t length, DType dtype) {
  const Case alone{{length}, released_index(), 3, 64};
  Case batch = alone;
  batch.lengths = {length, 33, 1};  // the random values of the first sequence are the same
  const std::vector<float> wanted = run(cpu_backend(isa), alone, {.threads = 1, .dtype = dtype}).output;
  std::vector<float> got = run(cpu_backend(isa), batch, {.dtype = dtype}).output;
  got.resize(wanted.size());
  CHECK(got == wanted);
}

TEST_CASE("a sequence's bits depend neither on the batch nor on the threads") {
  for (const int32_t length : {17, 113, 701}) {
    CAPTURE(length);
    for (const std::string& isa : distinct_instruction_sets()) check_independence(isa, length, DType::kFloat32);
    for (const std::string& isa : bfloat16_instruction_sets()) check_independence(isa, length, DType::kBFloat16);
  }
}

TEST_CASE("scratch does not grow with the sequence") {
  for (const std::string& isa : distinct_instruction_sets()) {
    CAPTURE(isa);
    OpContext* context = cpu_backend(isa).create_context({});
    const CpuContext& cpu = as_cpu(context);
    const size_t bytes = attention_scratch_bytes({16, 16, 1, 768, 12, 64}, cpu);
    CHECK(bytes == attention_scratch_bytes({1 << 20, 1 << 20, 1, 768, 12, 64}, cpu));
    CHECK(bytes < 2u << 20);
    cpu_backend(isa).destroy_context(context);
  }
}

TEST_CASE("positions of another shape and scratch for fewer heads stick to the context as errors") {
  const Backend& backend = cpu_backend("");
  OpContext* context = backend.create_context({});
  const Case c{{4}, clamped_index(3, 1), 2, 8};
  backend.reserve(context, {4, 4, 1, 16, 1, 8});
  const std::vector<float> rows(4 * 64, 1.0f);
  std::vector<float> output(4 * 64);
  const std::vector<int32_t> cu_seqlens{0, 4};
  AttentionArgs args;
  args.query = args.key = args.value = {rows.data(), 4, 16, 16};
  args.cu_seqlens = cu_seqlens.data();
  args.num_sequences = 1;
  args.num_heads = 1;
  args.head_dim = 8;
  args.output = {output.data(), 4, 16, 16};
  args.positions = pack(backend, context, c);
  backend.disentangled_attention(context, args);
  CHECK_THROWS_AS(backend.synchronize(context), Error);
  args.num_heads = 64;
  args.head_dim = 1024;
  backend.disentangled_attention(context, args);
  CHECK_THROWS_AS(backend.synchronize(context), Error);
  backend.free_positions(context, const_cast<PackedPositions*>(args.positions));
  backend.destroy_context(context);
}

}  // namespace
}  // namespace deberta
