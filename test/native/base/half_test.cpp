#include "base/half.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "doctest.h"

using namespace deberta;

TEST_CASE("every float16 pattern has the value IEEE 754 gives it") {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float found = float_from_half(static_cast<uint16_t>(bits));
    const int exponent = bits >> 10 & 0x1F, mantissa = bits & 0x3FF;
    REQUIRE(std::signbit(found) == (bits >= 0x8000));
    if (exponent == 31) {
      REQUIRE((mantissa == 0 ? std::isinf(found) : std::isnan(found)));
    } else {
      const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
      REQUIRE(std::fabs(found) == magnitude);
    }
  }
}

TEST_CASE("every bfloat16 pattern is the upper half of its float32") {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const float found = float_from_bfloat16(static_cast<uint16_t>(bits));
    uint32_t wide;
    std::memcpy(&wide, &found, sizeof wide);
    REQUIRE(wide == bits << 16);
  }
  CHECK(float_from_bfloat16(0x3F80) == 1.0f);
  CHECK(float_from_bfloat16(0xC040) == -3.0f);
}
