// Packing and tiling: every tile height, edge of k and edge of a panel; plans that cover each row and panel exactly
// once; 16-bit weights that give the bits of the same weights in float32.
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/gemm_driver.h"
#include "backends/cpu/isa_list.h"
#include "base/half.h"
#include "doctest/doctest.h"

namespace deberta {
namespace {

std::vector<float> random_values(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(generator);
  return values;
}

/// A context of one instruction set that frees what it packs.
struct Fixture {
  const Backend& backend;
  OpContext* context;

  explicit Fixture(const std::string& isa, int threads = 0) : backend(cpu_backend(isa)) {
    ContextOptions options;
    options.threads = threads;
    context = backend.create_context(options);
    backend.reserve(context, {600, 600, 1, 4096, 1, 64});
  }
  ~Fixture() { backend.destroy_context(context); }

  std::vector<float> linear(const std::vector<float>& input, int64_t rows, const std::vector<WeightView>& weights,
                            int part_begin, int part_end) {
    std::vector<LinearPart> parts;
    int64_t out = 0;
    for (const WeightView& weight : weights) parts.push_back({weight, nullptr});
    for (int p = part_begin; p < part_end; ++p) out += weights[static_cast<size_t>(p)].rows;
    PackedLinear* packed = backend.pack_linear(context, parts.data(), static_cast<int>(parts.size()));
    std::vector<float> output(static_cast<size_t>(rows * out), NAN);
    LinearArgs args;
    args.input = {input.data(), rows, weights[0].cols, weights[0].cols};
    args.weight = packed;
    args.part_begin = part_begin;
    args.part_end = part_end;
    args.output = {output.data(), rows, out, out};
    backend.linear(context, args);
    backend.free_linear(context, packed);
    backend.synchronize(context);
    return output;
  }
};

TEST_CASE("every tile height gives the same bits, for k on and off the edges of blocks") {
  for (const InstructionSet& isa : instruction_sets()) {
    if (!isa.supported) continue;
    const Microkernels& kernels = isa.kernels;
    const GemmKernels& gemm = kernels.gemm_f32;
    INFO("instruction set ", std::string(kernels.name));
    for (const int64_t k : {1, 2, 15, 16, 17, 113, 513}) {
      const std::vector<float> rows = random_values(static_cast<size_t>(gemm.tile_rows * k), 1);
      const std::vector<float> columns = random_values(static_cast<size_t>(gemm.panel_width * k), 2);
      std::vector<float> panel(static_cast<size_t>(padded_k(k) * gemm.panel_width), NAN);
      kernels.pack_panel_f32(columns.data(), k, gemm.panel_width, k, panel.data());
      std::vector<float> single(static_cast<size_t>(gemm.tile_rows) * kMaxPanelWidth);
      for (int height = 1; height <= gemm.tile_rows; ++height) {
        std::vector<float> packed(static_cast<size_t>(padded_k(k) * height), NAN);
        kernels.pack_rows_f32(rows.data(), k, height, height, k, packed.data());
        std::vector<float> product(static_cast<size_t>(height) * kMaxPanelWidth);
        gemm.multiply[height](padded_k(k), packed.data(), panel.data(), product.data(), kMaxPanelWidth, false,
                              {panel.data(), 0});
        for (int r = 0; r < height; ++r) {
          for (int c = 0; c < gemm.panel_width; ++c) {
            const float got = product[static_cast<size_t>(r * kMaxPanelWidth + c)];
            float& first = single[static_cast<size_t>(r * kMaxPanelWidth + c)];
            if (height == r + 1) {  // the first height that has this row
              double exact = 0;
              for (int64_t i = 0; i < k; ++i) {
                exact +=
                    static_cast<double>(rows[static_cast<size_t>(r * k + i)]) * columns[static_cast<size_t>(c * k + i)];
              }
              CHECK(std::fabs(got - exact) <= 1e-6 * static_cast<double>(k));
              first = got;
            }
            CHECK(got == first);
          }
        }
      }
    }
  }
}

TEST_CASE("a plan covers every row, tile and panel once, and tiles fit the kernels") {
  const CacheSizes caches;
  GemmKernels gemm;
  gemm.tile_rows = 14;
  gemm.panel_width = 32;
  for (const int64_t rows : {1, 2, 13, 14, 15, 28, 113, 513, 1365}) {
    for (const int64_t k : {1, 768, 3072, 65536}) {
      for (const int64_t panels : {1, 2, 24, 72, 4003}) {
        for (const int threads : {1, 2, 64}) {
          const GemmPlan plan = plan_gemm(rows, k, padded_k(k), panels, gemm, threads, caches);
          CHECK(plan.tiles(0) == 0);
          CHECK(plan.tiles(plan.tiles.parts) == rows);
          CHECK(plan.blocks(plan.blocks.parts) == plan.tiles.parts);
          CHECK(plan.chunks(plan.chunks.parts) == panels);
          CHECK(plan.steps(plan.steps.parts) * kGroupsPerBlock == padded_k(k));
          for (int64_t s = 0; s < plan.steps.parts; ++s) {
            CHECK(plan.steps(s + 1) > plan.steps(s));
            CHECK((plan.steps(s + 1) - plan.steps(s)) * kGroupsPerBlock <= kMaxStepGroups);
          }
          for (int64_t b = 0; b < plan.blocks.parts; ++b) {
            CHECK((plan.blocks(b + 1) - plan.blocks(b)) * 14 * kMaxPanelWidth <= kProductFloats);
          }
          for (int64_t t = 0; t < plan.tiles.parts; ++t) {
            CHECK(plan.tiles(t + 1) - plan.tiles(t) >= 1);
            CHECK(plan.tiles(t + 1) - plan.tiles(t) <= 14);
          }
          for (int64_t c = 0; c < plan.chunks.parts; ++c) CHECK(plan.chunks(c + 1) > plan.chunks(c));
          if (threads == 1) CHECK(plan.chunks.parts == 1);
        }
      }
    }
  }
}

TEST_CASE("16-bit weights give the bits of the same weights in float32") {
  constexpr int64_t kIn = 113, kOut = 77;
  for (const std::string& isa : cpu_instruction_sets()) {
    INFO("instruction set ", isa);
    Fixture fixture(isa);
    for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
      std::mt19937 generator(7);
      std::vector<uint16_t> stored(kIn * kOut);
      std::vector<float> wide(stored.size());
      for (size_t i = 0; i < stored.size(); ++i) {
        const uint32_t bits = generator();
        // Half: any exponent below 1, subnormals too. Bfloat16: exponents around 1.
        stored[i] = static_cast<uint16_t>(dtype == DType::kFloat16 ? bits & 0xbbff
                                                                   : (bits & 0x807f) | (bits >> 16 & 0x0380) | 0x3c00);
        wide[i] = dtype == DType::kFloat16 ? float_from_half(stored[i]) : float_from_bfloat16(stored[i]);
      }
      for (const int64_t rows : {1, 17, 113}) {  // below and above the height from which panels are widened first
        const std::vector<float> input = random_values(static_cast<size_t>(rows * kIn), 3);
        const auto narrow = fixture.linear(input, rows, {{stored.data(), dtype, kOut, kIn}}, 0, 1);
        const auto full = fixture.linear(input, rows, {{wide.data(), DType::kFloat32, kOut, kIn}}, 0, 1);
        CHECK(std::memcmp(narrow.data(), full.data(), full.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("parts side by side are the parts alone, at widths off the panel's edge") {
  constexpr int64_t kIn = 48;
  for (const std::string& isa : cpu_instruction_sets()) {
    INFO("instruction set ", isa);
    Fixture fixture(isa);
    const std::vector<float> a = random_values(33 * kIn, 4), b = random_values(kIn, 5), c = random_values(64 * kIn, 6);
    const std::vector<WeightView> weights = {{a.data(), DType::kFloat32, 33, kIn},
                                             {b.data(), DType::kFloat32, 1, kIn},
                                             {c.data(), DType::kFloat32, 64, kIn}};
    const std::vector<float> input = random_values(17 * kIn, 8);
    const auto all = fixture.linear(input, 17, weights, 0, 3);
    int64_t column = 0;
    for (int part = 0; part < 3; ++part) {
      const auto alone = fixture.linear(input, 17, weights, part, part + 1);
      const int64_t width = weights[static_cast<size_t>(part)].rows;
      for (int64_t r = 0; r < 17; ++r) {
        CHECK(std::memcmp(alone.data() + r * width, all.data() + r * 98 + column, static_cast<size_t>(width) * 4) == 0);
      }
      column += width;
    }
  }
}

TEST_CASE("packed bytes count live handles, whichever context frees them") {
  Fixture one(""), other("");
  const std::vector<float> weight = random_values(64 * 48, 9);
  const LinearPart part = {{weight.data(), DType::kFloat32, 64, 48}, nullptr};
  const size_t before = one.backend.packed_bytes(one.context);
  PackedLinear* packed = one.backend.pack_linear(one.context, &part, 1);
  CHECK(one.backend.packed_bytes(one.context) >= before + 64 * 48 * 4);
  CHECK(other.backend.packed_bytes(other.context) == 0);
  one.backend.free_linear(other.context, packed);
  CHECK(one.backend.packed_bytes(one.context) == before);
}

}  // namespace
}  // namespace deberta
