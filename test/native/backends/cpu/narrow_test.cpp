// bfloat16 and int8 products: how far they are from float32, that a row's result has the same bits in any batch, that
// outlier channels, made large by a checkpoint or by the input alone, do not take the accuracy of the others, and that
// no part is multiplied in a narrower type than it bears.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "doctest/doctest.h"

namespace deberta {
namespace {

constexpr int64_t kIn = 200, kOut = 131;  // off every block and panel

std::vector<float> normal_values(size_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

struct Problem {
  int64_t rows;
  std::vector<float> input = normal_values(static_cast<size_t>(rows * kIn), 1);  // [rows, kIn]
  std::vector<float> weight = normal_values(kOut * kIn, 2);                      // [kOut, kIn]
  std::vector<float> bias = normal_values(kOut, 3);
};

std::vector<float> run(const Backend& backend, DType dtype, const Problem& problem, int64_t first, int64_t count,
                       DType narrowest = DType::kInt8) {
  ContextOptions options;
  options.compute_dtype = dtype;
  OpContext* context = backend.create_context(options);
  backend.reserve(context, {problem.rows, problem.rows, 1, kIn, 1, kIn});
  const LinearPart part = {{problem.weight.data(), DType::kFloat32, kOut, kIn}, problem.bias.data(), narrowest};
  PackedLinear* packed = backend.pack_linear(context, &part, 1);
  std::vector<float> output(static_cast<size_t>(count * kOut), NAN);
  LinearArgs args;
  args.input = {problem.input.data() + first * kIn, count, kIn, kIn};
  args.weight = packed;
  args.output = {output.data(), count, kOut, kOut};
  backend.linear(context, args);
  backend.synchronize(context);
  backend.free_linear(context, packed);
  backend.destroy_context(context);
  return output;
}

/// Root mean square of the error, relative to that of the exact result.
double relative_error(const Problem& problem, const std::vector<float>& output) {
  double error = 0, size = 0;
  for (int64_t r = 0; r < problem.rows; ++r) {
    for (int64_t o = 0; o < kOut; ++o) {
      double exact = problem.bias[static_cast<size_t>(o)];
      for (int64_t k = 0; k < kIn; ++k) {
        exact += static_cast<double>(problem.input[static_cast<size_t>(r * kIn + k)]) *
                 problem.weight[static_cast<size_t>(o * kIn + k)];
      }
      error += std::pow(output[static_cast<size_t>(r * kOut + o)] - exact, 2);
      size += exact * exact;
    }
  }
  return std::sqrt(error / size);
}

double error_of(const Backend& backend, DType dtype, const Problem& problem, DType narrowest = DType::kInt8) {
  return relative_error(problem, run(backend, dtype, problem, 0, problem.rows, narrowest));
}

template <class Check>
void for_each_narrow(Check&& check) {
  int checked = 0;
  for (const std::string& isa : cpu_instruction_sets()) {
    const Backend& backend = cpu_backend(isa);
    for (const std::string& dtype : cpu_compute_dtypes(backend)) {
      if (dtype == "float32") continue;
      INFO(isa, " ", dtype);
      check(backend, dtype == "int8" ? DType::kInt8 : DType::kBFloat16);
      ++checked;
    }
  }
  if (checked == 0) MESSAGE("this CPU has neither bfloat16 nor int8 products: nothing was checked");
}

// Rounding to 8 bits of mantissa costs each factor 2^-9 / sqrt 3 of root mean square; int8 steps of a range of 6.5
// standard deviations 0.0075 for the input and about as much for the weights.
double limit_of(DType dtype) { return dtype == DType::kInt8 ? 0.013 : 0.0025; }

TEST_CASE("narrow products are as close to float32 as their formats allow") {
  const Problem problem{113};
  for_each_narrow([&](const Backend& backend, DType dtype) {
    const double error = error_of(backend, dtype, problem);
    CHECK(error <= limit_of(dtype));
    CHECK(error > 1e-4);  // it did compute in the narrow type
  });
}

TEST_CASE("a part is multiplied in no narrower type than it bears") {
  const Problem problem{47};
  for_each_narrow([&](const Backend& backend, DType dtype) {
    const std::vector<std::string> offered = cpu_compute_dtypes(backend);
    const bool has_bf16 = std::find(offered.begin(), offered.end(), "bfloat16") != offered.end();
    const double middle = error_of(backend, dtype, problem, DType::kBFloat16);
    CHECK(middle <= (has_bf16 ? limit_of(DType::kBFloat16) : 1e-6));
    CHECK((middle > 1e-4) == has_bf16);  // nor in a wider one than it needs
    CHECK(error_of(backend, dtype, problem, DType::kFloat32) <= 1e-6);
  });
}

TEST_CASE("the part that bears least decides for all that are packed together") {
  const Problem problem{17};
  for_each_narrow([&](const Backend& backend, DType dtype) {
    ContextOptions options;
    options.compute_dtype = dtype;
    OpContext* context = backend.create_context(options);
    backend.reserve(context, {problem.rows, problem.rows, 1, kIn, 1, kIn});
    const WeightView weight = {problem.weight.data(), DType::kFloat32, kOut, kIn};
    const LinearPart parts[] = {{weight, problem.bias.data()}, {weight, problem.bias.data(), DType::kFloat32}};
    PackedLinear* packed = backend.pack_linear(context, parts, 2);
    for (int part = 0; part < 2; ++part) {
      std::vector<float> output(static_cast<size_t>(problem.rows * kOut), NAN);
      LinearArgs args;
      args.input = {problem.input.data(), problem.rows, kIn, kIn};
      args.weight = packed;
      args.part_begin = part;
      args.part_end = part + 1;
      args.output = {output.data(), problem.rows, kOut, kOut};
      backend.linear(context, args);
      CHECK(relative_error(problem, output) <= 1e-6);
    }
    backend.synchronize(context);
    backend.free_linear(context, packed);
    backend.destroy_context(context);
  });
}

TEST_CASE("a row has the same bits in any batch, for every height of tile") {
  const Problem problem{47};
  for_each_narrow([&](const Backend& backend, DType dtype) {
    const std::vector<float> whole = run(backend, dtype, problem, 0, problem.rows);
    for (const auto& [first, count] : {std::pair<int64_t, int64_t>{0, 1}, {1, 2}, {3, 17}, {13, 33}, {46, 1}}) {
      const std::vector<float> some = run(backend, dtype, problem, first, count);
      CHECK(std::memcmp(some.data(), whole.data() + first * kOut, some.size() * sizeof(float)) == 0);
    }
  });
}

TEST_CASE("a channel that the weights undo takes no accuracy from the others") {
  Problem problem{33};
  for (int64_t r = 0; r < problem.rows; ++r) problem.input[static_cast<size_t>(r * kIn + 5)] *= 64.0f;
  for (int64_t o = 0; o < kOut; ++o) problem.weight[static_cast<size_t>(o * kIn + 5)] /= 64.0f;
  for_each_narrow(
      [&](const Backend& backend, DType dtype) { CHECK(error_of(backend, dtype, problem) <= limit_of(dtype)); });
}

TEST_CASE("a row with a few large values keeps the accuracy of its small ones") {
  Problem problem{33};
  Problem small = problem;
  for (int64_t r = 0; r < problem.rows; ++r) {
    for (const int64_t k : {5, 77, 199}) {
      problem.input[static_cast<size_t>(r * kIn + k)] = 100.0f;
      small.input[static_cast<size_t>(r * kIn + k)] = 0.0f;
    }
  }
  // The large values' own products carry the weights' rounding; what they must not do is coarsen the rest.
  for_each_narrow([&](const Backend& backend, DType dtype) {
    CHECK(error_of(backend, dtype, problem) <= limit_of(dtype));
    CHECK(error_of(backend, dtype, small) <= limit_of(dtype));
  });
}

TEST_CASE("rows of zeros, of one value and of one sign") {
  for_each_narrow([&](const Backend& backend, DType dtype) {
    for (const auto& [from, to] : {std::pair{0.0f, 0.0f}, {3.0f, 3.0f}, {0.5f, 2.0f}, {-2.0f, -0.5f}}) {
      Problem problem{17};
      for (size_t i = 0; i < problem.input.size(); ++i) {
        problem.input[i] = from + (to - from) * static_cast<float>(i % 97) / 96.0f;
      }
      CHECK(error_of(backend, dtype, problem) <= limit_of(dtype));
    }
  });
}

TEST_CASE("more outliers than are kept apart still give a result") {
  Problem problem{5};
  for (size_t i = 0; i < problem.input.size(); i += 10) problem.input[i] *= 50.0f;
  for_each_narrow([&](const Backend& backend, DType dtype) { CHECK(error_of(backend, dtype, problem) <= 0.05); });
}

}  // namespace
}  // namespace deberta
