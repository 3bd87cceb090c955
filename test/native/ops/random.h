// The numbers of the op suite: the same on every machine, for every order of evaluation.
#pragma once

#include <cstdint>

namespace deberta::test {

/// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators), seeded by two numbers.
class Random {
 public:
  explicit Random(uint64_t stream, uint64_t substream = 0) : state_(stream * 0x9E3779B97F4A7C15u + substream) {
    bits();
    state_ ^= substream << 32;
  }

  uint64_t bits() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  /// Bell-shaped, mean 0, variance 1: the sum of four uniform values.
  double bell() { return (uniform() + uniform() + uniform() + uniform() - 2.0) * 1.7320508075688772; }

  /// Uniform in [0, bound).
  int32_t below(int32_t bound) { return static_cast<int32_t>(bits() % static_cast<uint64_t>(bound)); }

 private:
  uint64_t state_;
};

}  // namespace deberta::test
