// The emulated twin of native/backends/cuda/device.cuh: the same functions, as operations of the emulator. The build
// puts this folder first on the include path. Each function's meaning is documented there.
#pragma once

#include <cuda_runtime.h>

#include <tuple>
#include <utility>

#include "../../../async.h"
#include "../../../runtime.h"
#include "../../../shared_memory.h"

namespace deberta::cuda {

namespace emu = deberta::emulation;

// ---- 16-bit types ----

struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

inline float to_float(float x) { return x; }
inline float to_float(BFloat16 x) {
  const uint32_t wide = uint32_t{x.bits} << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}
inline float to_float(Float16 x) { return emu::float16_value(x.bits); }

template <class T>
T from_float(float x);
template <>
inline float from_float<float>(float x) {
  return x;
}
template <>
inline BFloat16 from_float<BFloat16>(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if (x != x) return {0x7FFF};
  return {static_cast<uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1)) >> 16)};
}
template <>
inline Float16 from_float<Float16>(float x) {
  const _Float16 value = static_cast<_Float16>(x);
  Float16 result;
  std::memcpy(&result.bits, &value, 2);
  return result;
}

template <class T>
uint32_t pack_pair(float low, float high) {
  return from_float<T>(low).bits | uint32_t{from_float<T>(high).bits} << 16;
}

inline uint32_t pack_saturated(float low, float high) {
  constexpr float kLargest = 65504.0f;
  return pack_pair<Float16>(std::fmax(-kLargest, std::fmin(low, kLargest)),
                            std::fmax(-kLargest, std::fmin(high, kLargest)));
}

template <class T>
void unpack_pair(uint32_t pair, float& low, float& high) {
  low = to_float(T{static_cast<uint16_t>(pair)});
  high = to_float(T{static_cast<uint16_t>(pair >> 16)});
}

inline float exp2_fast(float x) { return std::exp2(x); }

// ---- shared memory ----

inline uint32_t shared_base() { return 0; }

template <class T>
T load_shared(uint32_t address) {
  T value;
  emu::read_shared(address, &value, sizeof value);
  return value;
}
template <class T>
void store_shared(uint32_t address, T value) {
  emu::write_shared(address, &value, sizeof value);
}

inline void barrier_sync(int id, int threads) { emu::named_barrier(id, threads); }

// ---- cp.async ----

inline void copy_async_16(uint32_t shared, const void* global, bool valid) {
  emu::copy_async(shared, global, valid ? 16 : 0);
}
inline void copy_async_commit() { emu::commit_copies(); }
template <int kGroupsLeft>
void copy_async_wait() {
  emu::wait_copies(kGroupsLeft);
}

// ---- ldmatrix, mma.sync ----

namespace detail {

struct LdMatrix {
  uint32_t address;
  uint32_t* out;
};

inline void ldmatrix(uint32_t (&fragment)[4], uint32_t address, bool transposed) {
  LdMatrix mine{address, fragment};
  emu::warp_collective(transposed ? "ldmatrix.trans" : "ldmatrix", &mine, [transposed](const auto& lanes) {
    uint16_t rows[32][8];  // lane l gives row l % 8 of matrix l / 8
    for (int l = 0; l < 32; ++l) emu::read_shared(static_cast<LdMatrix*>(lanes[l])->address, rows[l], 16);
    for (int l = 0; l < 32; ++l) {
      for (int m = 0; m < 4; ++m) {
        uint16_t pair[2];
        for (int i = 0; i < 2; ++i) {
          const int row = l / 4, col = l % 4 * 2 + i;
          pair[i] = transposed ? rows[m * 8 + col][row] : rows[m * 8 + row][col];
        }
        std::memcpy(&static_cast<LdMatrix*>(lanes[l])->out[m], pair, 4);
      }
    }
  });
}

template <class T>
float element(uint32_t pair, int i) {
  return to_float(T{static_cast<uint16_t>(pair >> 16 * i)});
}

struct Mma {
  float* d;
  const uint32_t* a;
  uint32_t b[2];
};

}  // namespace detail

inline void ldmatrix_x4(uint32_t (&fragment)[4], uint32_t address) { detail::ldmatrix(fragment, address, false); }
inline void ldmatrix_x4_trans(uint32_t (&fragment)[4], uint32_t address) { detail::ldmatrix(fragment, address, true); }

template <class T>
void mma_16816(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  detail::Mma mine{d, a, {b0, b1}};
  emu::warp_collective("mma.sync", &mine, [](const std::array<void*, 32>& lanes) {
    float a[16][16], b[8][16];
    for (int l = 0; l < 32; ++l) {
      const auto* lane = static_cast<const detail::Mma*>(lanes[l]);
      for (int r = 0; r < 4; ++r) {
        for (int i = 0; i < 2; ++i) {
          a[l / 4 + r % 2 * 8][l % 4 * 2 + r / 2 * 8 + i] = detail::element<T>(lane->a[r], i);
        }
      }
      for (int r = 0; r < 2; ++r) {
        for (int i = 0; i < 2; ++i) b[l / 4][l % 4 * 2 + r * 8 + i] = detail::element<T>(lane->b[r], i);
      }
    }
    for (int l = 0; l < 32; ++l) {
      float* d = static_cast<detail::Mma*>(lanes[l])->d;
      for (int i = 0; i < 4; ++i) {
        const float* x = a[l / 4 + i / 2 * 8];
        const float* y = b[l % 4 * 2 + i % 2];
        for (int k = 0; k < 16; ++k) d[i] += x[k] * y[k];
      }
    }
  });
}

// ---- mbarrier, TMA ----

inline void mbarrier_init(uint32_t address, int arrivals) { emu::barrier_init(address, arrivals); }
inline void mbarrier_init_fence() {}
inline void mbarrier_arrive(uint32_t address) { emu::barrier_arrive(address, 0); }
inline void mbarrier_arrive_expect(uint32_t address, uint32_t bytes) { emu::barrier_arrive(address, bytes); }
inline void mbarrier_wait(uint32_t address, uint32_t parity) { emu::barrier_wait(address, parity); }

struct alignas(64) TensorMap {
  emu::TensorMapData data;
};

inline bool make_tensor_map(TensorMap& map, const void* base, int64_t rows, int64_t cols, int64_t stride, int box_rows,
                            int box_cols) {
  if (reinterpret_cast<uintptr_t>(base) % 16 || stride % 8 || box_rows > 256) return false;
  if (rows < 1 || cols < 1 || (box_cols != 64 && box_cols != 32)) return false;
  map.data = {static_cast<const uint8_t*>(base), rows, cols, stride, box_rows, box_cols};
  return true;
}
inline void tensor_load(uint32_t shared, const TensorMap& map, uint32_t barrier, int32_t col, int32_t row) {
  emu::tensor_copy(shared, map.data, barrier, col, row);
}

// ---- wgmma ----

inline void fence_async_proxy() { emu::current->proxy_fence = ++emu::access_number; }
template <int kRegisters>
void release_registers() {}
template <int kRegisters>
void claim_registers() {}

inline void wgmma_fence() {}
inline void wgmma_commit() { emu::commit_products(); }
template <int kGroupsLeft, class... Registers>
void wgmma_wait(Registers&...) {
  emu::wait_products(kGroupsLeft);
}

template <class T, int N>
void wgmma_ss(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate) {
  emu::issue_product({N, std::is_same_v<T, BFloat16>, accumulate, false, nullptr, a, b, d});
}
template <class T, int N>
void wgmma_rs_transposed(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b) {
  emu::issue_product({N, std::is_same_v<T, BFloat16>, true, true, a, 0, b, d});
}

// ---- launching ----

namespace detail {

template <class... P, size_t... I>
void call(void (*kernel)(P...), void** args, std::index_sequence<I...>) {
  kernel(*static_cast<std::remove_cv_t<P>*>(args[I])...);
}

template <class... P>
void invoke(void* kernel, void** args) {
  call(reinterpret_cast<void (*)(P...)>(kernel), args, std::index_sequence_for<P...>());
}

}  // namespace detail

template <class... P>
const void* kernel_entry(void (*kernel)(P...), const char* name) {
  return emu::register_kernel(reinterpret_cast<void*>(kernel), &detail::invoke<P...>, {sizeof(P)...}, name);
}

/// The emulated memory is exact, so that its guard pages are met.
inline size_t allocation_size(size_t bytes) { return (bytes + 63) / 64 * 64; }

}  // namespace deberta::cuda
