// What the sm_90a kernels share: descriptors of swizzled tiles for wgmma, and rings of stages between the warp that
// asks for copies and the warpgroups that use them.
#pragma once

#include "backends/cuda/device.cuh"

namespace deberta::cuda {

constexpr int kWarpgroup = 128;

/// A tile with rows of kRowBytes (128 or 64), swizzled over that width, at a multiple of 8 rows; as a wgmma operand.
/// With k contiguous: groups of 8 rows follow each other. With n contiguous ([k, n], read transposed): the same for
/// groups of 8 k, and `leading_bytes` is the distance to the next kRowBytes of n. Offsets within a row may be added.
template <int kRowBytes>
__device__ __forceinline__ uint64_t tile_descriptor(uint32_t address, uint32_t leading_bytes = 16) {
  static_assert(kRowBytes == 128 || kRowBytes == 64);
  constexpr uint64_t kLayout = kRowBytes == 128 ? 1 : 2;
  constexpr uint64_t kGroupBytes = 8 * kRowBytes;
  return (address >> 4 & 0x3FFF) | static_cast<uint64_t>(leading_bytes >> 4) << 16 | (kGroupBytes >> 4) << 32 |
         kLayout << 62;
}

/// Which of kStages is next, and the parity of its turn.
template <int kStages>
struct StageCursor {
  int stage = 0;
  uint32_t parity = 0;

  __device__ __forceinline__ void advance() {
    if (++stage < kStages) return;
    stage = 0;
    parity ^= 1;
  }
};

}  // namespace deberta::cuda
