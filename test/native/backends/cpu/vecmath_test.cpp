// Error bounds of the vectorised elementary functions, over dense grids, on every instruction set of this machine. The
// bounds are the ones that isa/math.inl.h states.
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "backends/cpu/isa_list.h"
#include "doctest/doctest.h"
#include "ops/activation.h"

namespace deberta {
namespace {

struct Errors {
  double ulp = 0;  // of the exact result, as float32
  double absolute = 0;
};

double ulp_of(double value) {
  int exponent = 0;
  std::frexp(value, &exponent);
  return std::ldexp(1.0, std::max(exponent - 24, -149));
}

std::vector<float> grid(float from, float to, int count) {
  std::vector<float> x(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i)
    x[static_cast<size_t>(i)] = from + (to - from) * static_cast<float>(i) / static_cast<float>(count - 1);
  return x;
}

template <class Apply>
Errors measure(float from, float to, const std::function<double(double)>& exact, Apply&& apply) {
  const std::vector<float> x = grid(from, to, 1000003);  // odd: the last vector is partial
  std::vector<float> y(x.size());
  apply(x.data(), static_cast<int64_t>(x.size()), y.data());
  Errors errors;
  for (size_t i = 0; i < x.size(); ++i) {
    const double wanted = exact(x[i]), error = std::fabs(y[i] - wanted);
    if (!(error <= std::numeric_limits<double>::max())) return {INFINITY, INFINITY};
    errors.ulp = std::max(errors.ulp, error / ulp_of(wanted));
    errors.absolute = std::max(errors.absolute, error);
  }
  return errors;
}

Errors activation_errors(const Microkernels& kernels, Activation activation, float from, float to) {
  return measure(
      from, to, [&](double x) { return activate(activation, x); },
      [&](const float* x, int64_t n, float* y) { kernels.activate(activation, x, n, y); });
}

template <class Check>
void for_each_isa(Check&& check) {
  for (const InstructionSet& isa : instruction_sets()) {
    if (!isa.supported) continue;
    INFO("instruction set ", std::string(isa.kernels.name));
    check(isa.kernels);
  }
}

TEST_CASE("exp is within 1.6 ulp over its range") {
  for_each_isa([](const Microkernels& kernels) {
    const auto exact = [](double x) { return std::exp(x); };
    CHECK(measure(-87.3f, 88.3f, exact, kernels.exp).ulp <= 1.6);
    CHECK(measure(-1.0f, 1.0f, exact, kernels.exp).ulp <= 1.6);
  });
}

TEST_CASE("exp saturates, and passes NaN on") {
  for_each_isa([](const Microkernels& kernels) {
    const float x[] = {-1000.0f, -INFINITY, 1000.0f, INFINITY, NAN};
    float y[5];
    kernels.exp(x, 5, y);
    CHECK(y[0] < 1.3e-38f);
    CHECK(y[1] < 1.3e-38f);
    CHECK(y[2] > 1e38f);
    CHECK(std::isfinite(y[3]));
    CHECK(std::isnan(y[4]));
  });
}

TEST_CASE("gelu is within 8e-8 for negative and 2 ulp for positive arguments") {
  for_each_isa([](const Microkernels& kernels) {
    CHECK(activation_errors(kernels, Activation::kGelu, -30.0f, 0.0f).absolute <= 8e-8);
    CHECK(activation_errors(kernels, Activation::kGelu, -1.0f, 0.0f).absolute <= 8e-8);
    CHECK(activation_errors(kernels, Activation::kGelu, 0.5f, 30.0f).ulp <= 2.0);
    CHECK(activation_errors(kernels, Activation::kGelu, 0.0f, 0.5f).absolute <= 8e-8);
  });
}

TEST_CASE("the rough gelu is within 6e-5, and passes NaN on") {
  for_each_isa([](const Microkernels& kernels) {
    const auto exact = [](double x) { return activate(Activation::kGelu, x); };
    CHECK(measure(-30.0f, 30.0f, exact, kernels.gelu_rough).absolute <= 6e-5);
    CHECK(measure(-5.0f, 5.0f, exact, kernels.gelu_rough).absolute <= 6e-5);
    const float x[] = {-INFINITY, -0.0f, INFINITY, NAN};
    float y[4];
    kernels.gelu_rough(x, 4, y);
    CHECK(std::fabs(y[0]) <= 6e-5);
    CHECK(y[1] == 0.0f);
    CHECK(y[2] == INFINITY);
    CHECK(std::isnan(y[3]));
  });
}

TEST_CASE("tanh is within 3 ulp") {
  for_each_isa([](const Microkernels& kernels) {
    CHECK(activation_errors(kernels, Activation::kTanh, -12.0f, 12.0f).ulp <= 3.0);
    CHECK(activation_errors(kernels, Activation::kTanh, -0.7f, 0.7f).ulp <= 3.0);
    CHECK(activation_errors(kernels, Activation::kTanh, -1e-3f, 1e-3f).ulp <= 3.0);
  });
}

TEST_CASE("every activation is within 3e-7 of its largest magnitude on [-12, 12]") {
  for_each_isa([](const Microkernels& kernels) {
    for (int a = 0; a <= static_cast<int>(Activation::kLaplace); ++a) {
      INFO("activation ", a);
      const auto activation = static_cast<Activation>(a);
      const double largest = std::max(1.0, std::fabs(activate(activation, 12.0)));
      CHECK(activation_errors(kernels, activation, -12.0f, 12.0f).absolute <= 3e-7 * largest);
    }
  });
}

TEST_CASE("far arguments give limits, not infinities") {
  for_each_isa([](const Microkernels& kernels) {
    for (const Activation activation : {Activation::kGelu, Activation::kGeluTanh, Activation::kSilu, Activation::kMish,
                                        Activation::kQuickGelu, Activation::kSigmoid, Activation::kTanh}) {
      const float x[] = {-1e4f, 1e4f, -100.0f, 100.0f};
      float y[4];
      kernels.activate(activation, x, 4, y);
      for (int i = 0; i < 4; ++i) {
        INFO("activation ", static_cast<int>(activation), " at ", x[i]);
        CHECK(std::fabs(y[i] - activate(activation, x[i])) <= 1e-7 * std::max(1.0f, std::fabs(x[i])));
      }
    }
  });
}

}  // namespace
}  // namespace deberta
