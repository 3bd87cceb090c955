// The instructions that the kernels use, one thin function each over PTX. Nothing else in this folder holds inline
// assembly (matrix products of a warpgroup, which need long operand lists, are in wgmma.cuh). The kernel sources also
// compile for a CPU: test/native/cuda_emulation has a twin of this header with the same names.
//
// Shared memory is addressed by 32-bit shared-space addresses, so that every access goes through load_shared and
// store_shared. Global memory is plain pointers.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "backends/cuda/wgmma.cuh"

namespace deberta::cuda {

// ---- 16-bit types: storage only, arithmetic is float32 ----

struct BFloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(BFloat16 x) { return __uint_as_float(uint32_t{x.bits} << 16); }
__device__ __forceinline__ float to_float(Float16 x) {
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(x.bits));
  return value;
}

/// Rounds to nearest, ties to even.
template <class T>
__device__ __forceinline__ T from_float(float x) {
  if constexpr (std::is_same_v<T, float>) {
    return x;
  } else {
    T value;
    if constexpr (std::is_same_v<T, BFloat16>) {
      asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(value.bits) : "f"(x));
    } else {
      asm("cvt.rn.f16.f32 %0, %1;" : "=h"(value.bits) : "f"(x));
    }
    return value;
  }
}

/// Two elements in one register, `low` at the lower address.
template <class T>
__device__ __forceinline__ uint32_t pack_pair(float low, float high) {
  uint32_t pair;
  if constexpr (std::is_same_v<T, BFloat16>) {
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  } else {
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  }
  return pair;
}

/// Two float16, the largest finite ones in place of what is beyond them.
__device__ __forceinline__ uint32_t pack_saturated(float low, float high) {
  uint32_t pair;
  asm("cvt.rn.satfinite.f16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

/// The inverse of pack_pair.
template <class T>
__device__ __forceinline__ void unpack_pair(uint32_t pair, float& low, float& high) {
  low = to_float(T{static_cast<uint16_t>(pair)});
  high = to_float(T{static_cast<uint16_t>(pair >> 16)});
}

/// 2^x to about 2 ulp; 0 for -infinity.
__device__ __forceinline__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// ---- shared memory ----

/// The start of the block's dynamic shared memory, 1024-byte aligned.
__device__ __forceinline__ uint32_t shared_base() {
  extern __shared__ __align__(1024) unsigned char dynamic_shared[];
  return static_cast<uint32_t>(__cvta_generic_to_shared(dynamic_shared));
}

template <class T>
__device__ __forceinline__ T load_shared(uint32_t address) {
  T value;
  if constexpr (std::is_same_v<T, uint16_t>) {
    asm volatile("ld.shared.u16 %0, [%1];" : "=h"(value) : "r"(address));
  } else if constexpr (std::is_same_v<T, uint32_t>) {
    asm volatile("ld.shared.u32 %0, [%1];" : "=r"(value) : "r"(address));
  } else if constexpr (std::is_same_v<T, float>) {
    asm volatile("ld.shared.f32 %0, [%1];" : "=f"(value) : "r"(address));
  } else if constexpr (std::is_same_v<T, float4>) {
    asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(value.x), "=f"(value.y), "=f"(value.z), "=f"(value.w)
                 : "r"(address));
  } else {
    static_assert(std::is_same_v<T, uint4>, "load_shared: uint16_t, uint32_t, float, float4 or uint4");
    asm volatile("ld.shared.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                 : "r"(address));
  }
  return value;
}

template <class T>
__device__ __forceinline__ void store_shared(uint32_t address, T value) {
  if constexpr (std::is_same_v<T, uint16_t>) {
    asm volatile("st.shared.u16 [%0], %1;" ::"r"(address), "h"(value) : "memory");
  } else if constexpr (std::is_same_v<T, uint32_t>) {
    asm volatile("st.shared.u32 [%0], %1;" ::"r"(address), "r"(value) : "memory");
  } else if constexpr (std::is_same_v<T, float>) {
    asm volatile("st.shared.f32 [%0], %1;" ::"r"(address), "f"(value) : "memory");
  } else {
    static_assert(std::is_same_v<T, uint4>, "store_shared: uint16_t, uint32_t, float or uint4");
    asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(address), "r"(value.x), "r"(value.y), "r"(value.z),
                 "r"(value.w)
                 : "memory");
  }
}

/// `threads` threads (a multiple of 32) meet at barrier `id` (1 to 15; 0 is __syncthreads).
__device__ __forceinline__ void barrier_sync(int id, int threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}

// ---- cp.async: 16 bytes from global to shared memory without passing through registers ----

/// Zeros where not `valid`; `global` is then not read but must be a valid pointer.
__device__ __forceinline__ void copy_async_16(uint32_t shared, const void* global, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared), "l"(__cvta_generic_to_global(global)),
               "r"(valid ? 16 : 0)
               : "memory");
}
__device__ __forceinline__ void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kGroupsLeft>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroupsLeft) : "memory");
}

// ---- ldmatrix, mma.sync ----

/// Four 8 x 8 matrices of 16-bit elements: lane l gives the address of row l % 8 of matrix l / 8, and receives of every
/// matrix the pair (row l / 4, columns l % 4 * 2 and + 1).
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&fragment)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(address)
               : "memory");
}
/// The same, each matrix transposed.
__device__ __forceinline__ void ldmatrix_x4_trans(uint32_t (&fragment)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(address)
               : "memory");
}

/// d [16, 8] += a [16, 16] b [16, 8]. Lane l holds of d the rows l / 4 and + 8, columns l % 4 * 2 and + 1.
template <class T>
__device__ __forceinline__ void mma_16816(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  } else {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
}

// ---- mbarrier and tensor copies (sm_90) ----

/// A barrier in 8 bytes of shared memory whose phase ends after `arrivals` arrivals and all expected bytes.
__device__ __forceinline__ void mbarrier_init(uint32_t address, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(address), "r"(arrivals) : "memory");
}
/// Makes initialised barriers visible to the copy engine; __syncthreads does it for the threads.
__device__ __forceinline__ void mbarrier_init_fence() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
}
__device__ __forceinline__ void mbarrier_arrive(uint32_t address) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(address) : "memory");
}
__device__ __forceinline__ void mbarrier_arrive_expect(uint32_t address, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(address), "r"(bytes) : "memory");
}
/// Returns once the phase of this parity (0 for the first) has ended.
__device__ __forceinline__ void mbarrier_wait(uint32_t address, uint32_t parity) {
  uint32_t done = 0;
  while (!done) {
    asm volatile("{\n.reg .pred p;\nmbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\nselp.u32 %0, 1, 0, p;\n}\n"
                 : "=r"(done)
                 : "r"(address), "r"(parity)
                 : "memory");
  }
}

/// What the copy engine knows of a matrix (a CUtensorMap); a __grid_constant__ kernel parameter.
struct alignas(64) TensorMap {
  uint64_t words[16];
};

/// Host: describes a row-major matrix [rows, cols] of 16-bit elements, `stride` elements from row to row, to be copied
/// in boxes of [box_rows, box_cols]; box_cols is 64 or 32, which are 128- and 64-byte rows with the swizzle of that
/// width. False where the driver refuses: `base` not 16-byte aligned, stride not a multiple of 8.
bool make_tensor_map(TensorMap& map, const void* base, int64_t rows, int64_t cols, int64_t stride, int box_rows,
                     int box_cols);

/// Starts the copy of the box whose corner is at (row, col), zeros beyond the matrix; its bytes complete on `barrier`.
__device__ __forceinline__ void tensor_load(uint32_t shared, const TensorMap& map, uint32_t barrier, int32_t col,
                                            int32_t row) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4}], [%2];" ::"r"(
          shared),
      "l"(&map), "r"(barrier), "r"(col), "r"(row)
      : "memory");
}

// ---- warpgroups (sm_90a) ----

/// Orders this thread's stores to shared memory before later reads by wgmma; a barrier makes it so for the others.
__device__ __forceinline__ void fence_async_proxy() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

template <int kRegisters>
__device__ __forceinline__ void release_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void claim_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

/// Before the first product on accumulators (or A registers) that ordinary code wrote.
__device__ __forceinline__ void wgmma_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ __forceinline__ void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

/// Keeps the compiler from moving uses of these registers across this point, and from using them otherwise before it.
template <int N>
__device__ __forceinline__ void pin_registers(float (&registers)[N]) {
#pragma unroll
  for (int i = 0; i < N; ++i) asm volatile("" : "+f"(registers[i])::"memory");
}
template <int M, int N>
__device__ __forceinline__ void pin_registers(uint32_t (&registers)[M][N]) {
#pragma unroll
  for (int i = 0; i < M * N; ++i) asm volatile("" : "+r"(registers[i / N][i % N])::"memory");
}

/// Until at most `kGroupsLeft` committed groups are pending; `registers` are the accumulators that are complete and the
/// A operands that are free then.
template <int kGroupsLeft, class... Registers>
__device__ __forceinline__ void wgmma_wait(Registers&... registers) {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kGroupsLeft) : "memory");
  (pin_registers(registers), ...);
}

/// d [64, N] = a b^T (+ d): a [64, 16] and b [N, 16] in shared memory, k contiguous. Warp w of the warpgroup holds rows
/// 16 w to 16 w + 15 of d, each 8 columns as mma_16816 holds them: d[4 i + r] is register r of columns 8 i to 8 i + 7.
template <class T, int N>
__device__ __forceinline__ void wgmma_ss(float (&d)[N / 2], uint64_t a, uint64_t b, bool accumulate) {
  ptx::wgmma_ss<std::is_same_v<T, BFloat16>>(d, a, b, accumulate);
}
/// d [64, N] += a b: a [64, 16] in registers (four per thread as mma_16816 has them), b [16, N] in shared memory, n
/// contiguous.
template <class T, int N>
__device__ __forceinline__ void wgmma_rs_transposed(float (&d)[N / 2], const uint32_t (&a)[4], uint64_t b) {
  ptx::wgmma_rs_transposed<std::is_same_v<T, BFloat16>>(d, a, b);
}

// ---- host side ----

/// What cudaLaunchKernel wants for `kernel`.
template <class... P>
const void* kernel_entry(void (*kernel)(P...), const char*) {
  return reinterpret_cast<const void*>(kernel);
}

/// The size class of an allocation: eight steps per power of two, at least 512 bytes, so that freed blocks fit again.
inline size_t allocation_size(size_t bytes) {
  size_t step = 512;
  while (step * 16 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step + (bytes == 0 ? step : 0);
}

}  // namespace deberta::cuda
