// How far a backend may be from the reference: the one place that says so.
//
//   largest error      <= 2 * (that of plain float32 loops) + 4 * u * condition * (largest magnitude)
//   root mean square   <= 2 * (that of plain float32 loops) + 2 * u * (root mean square of the values)
//
// over all outputs of a case. The factor 2 leaves room for another order of summation, the floor for one rounding of
// the result and for elementary functions within two units in the last place. u = 2^-24 is float32's unit roundoff; a
// backend that stores or multiplies in less says its own (SuiteOptions). The condition is 1 but for attention: a score
// s that is off by u * s makes exp(s) off by a factor 1 + u * s, so there it is 1 + the largest |s|. Without it the
// largest error of a case hangs on the luck of the one row whose softmax is most peaked; the root mean square has no
// such allowance.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace deberta::test {

struct Deviation {
  double largest = 0.0;
  double root_mean_square = 0.0;
};

/// NaN where an element of `values` is not finite, which no bound admits.
inline Deviation deviation(const std::vector<float>& values, const std::vector<float>& wanted) {
  Deviation result;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double error = std::fabs(static_cast<double>(values[i]) - wanted[i]);
    result.largest = error > result.largest || !std::isfinite(error) ? error : result.largest;
    result.root_mean_square += error * error;
  }
  result.root_mean_square = std::sqrt(result.root_mean_square / std::max<size_t>(1, wanted.size()));
  return result;
}

inline Deviation magnitude(const std::vector<float>& values) {
  return deviation(std::vector<float>(values.size(), 0.0f), values);
}

struct Tolerance {
  double plain_factor = 2.0;
  double unit_roundoff = 0x1p-24;
};

/// Empty where `got` is close enough to `wanted`; else what was expected and what came.
inline std::string compare(const std::vector<float>& got, const std::vector<float>& plain,
                           const std::vector<float>& wanted, double condition, const Tolerance& tolerance) {
  if (got.size() != wanted.size()) {
    return "expected " + std::to_string(wanted.size()) + " values, got " + std::to_string(got.size());
  }
  const Deviation error = deviation(got, wanted);
  const Deviation yardstick = deviation(plain, wanted);
  const Deviation size = magnitude(wanted);
  const double largest =
      tolerance.plain_factor * yardstick.largest + 4 * tolerance.unit_roundoff * condition * size.largest;
  const double rms =
      tolerance.plain_factor * yardstick.root_mean_square + 2 * tolerance.unit_roundoff * size.root_mean_square;
  if (error.largest <= largest && error.root_mean_square <= rms) return "";
  char text[200];
  std::snprintf(text, sizeof text,
                "largest error %.3g (allowed %.3g), root mean square %.3g (allowed %.3g), magnitude %.3g",
                error.largest, largest, error.root_mean_square, rms, size.largest);
  return text;
}

}  // namespace deberta::test
