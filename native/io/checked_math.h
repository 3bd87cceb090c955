// Sums and products of numbers that a file claims. Each returns false instead of wrapping around.
#pragma once

#include <cstdint>
#include <limits>

namespace deberta {

inline bool checked_multiply(uint64_t a, uint64_t b, uint64_t& product) {
  if (a != 0 && b > std::numeric_limits<uint64_t>::max() / a) return false;
  product = a * b;
  return true;
}

inline bool checked_add(uint64_t a, uint64_t b, uint64_t& sum) {
  if (b > std::numeric_limits<uint64_t>::max() - a) return false;
  sum = a + b;
  return true;
}

/// Whether [offset, offset + length) lies within [0, size).
inline bool range_within(uint64_t offset, uint64_t length, uint64_t size) {
  return offset <= size && length <= size - offset;
}

}  // namespace deberta
