// The part of the CUDA runtime that the backend uses, over the emulator. Streams run at once; global memory ends at a
// page that may not be touched. Device 0 has no tensor copies and little shared memory, as sm_86; device 1 is an sm_90.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "../block.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __restrict__
#define __grid_constant__
#define CUDART_CB

using dim3 = deberta::emulation::Dim3;

struct alignas(8) uint2 {
  uint32_t x, y;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }

#define threadIdx (deberta::emulation::current->position)
#define blockIdx (deberta::emulation::block.position)
#define blockDim (deberta::emulation::block.size)
#define gridDim (deberta::emulation::block.grid)

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInsufficientDriver = 35,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorLaunchFailure = 719,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
enum cudaFuncAttribute { cudaFuncAttributeMaxDynamicSharedMemorySize = 8 };
constexpr unsigned cudaStreamNonBlocking = 1;

struct cudaDeviceProp {
  char name[256];
  int major, minor;
  int multiProcessorCount;
  size_t sharedMemPerBlockOptin;
  size_t totalGlobalMem;
};
struct cudaFuncAttributes {
  int numRegs;
};

using cudaStream_t = struct EmulatedStream*;
using cudaGraph_t = struct EmulatedGraph*;
using cudaGraphExec_t = struct EmulatedGraph*;

const char* cudaGetErrorName(cudaError_t error);
const char* cudaGetErrorString(cudaError_t error);
cudaError_t cudaGetLastError();
cudaError_t cudaDriverGetVersion(int* version);
cudaError_t cudaRuntimeGetVersion(int* version);
cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaMalloc(void** memory, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMallocHost(void** memory, size_t bytes);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long flags);
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec);
cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute attribute, int value);
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* function);
cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 block, void** args, size_t shared_bytes,
                             cudaStream_t stream);

inline void __syncthreads() { deberta::emulation::named_barrier(0, deberta::emulation::block.num_threads); }

inline void __syncwarp(unsigned = 0xFFFFFFFFu) {
  using namespace deberta::emulation;
  Warp* warp = &block.warps[current->warp];
  warp_collective("__syncwarp", nullptr, [warp](const auto&) { ++warp->syncs; });
}

namespace deberta::emulation {

/// Each lane gets the value of lane `source(lane)`.
template <class T, class Source>
T shuffle(const char* name, T value, Source source) {
  struct Operand {
    T in, out;
    int from;
  } mine{value, value, source(current->lane)};
  warp_collective(name, &mine, [](const std::array<void*, 32>& lanes) {
    for (void* lane : lanes) {
      auto* operand = static_cast<Operand*>(lane);
      operand->out = static_cast<Operand*>(lanes[operand->from & 31])->in;
    }
  });
  return mine.out;
}

}  // namespace deberta::emulation

inline unsigned __ballot_sync(unsigned, bool predicate) {
  struct Operand {
    bool in;
    unsigned out;
  } mine{predicate, 0};
  deberta::emulation::warp_collective("__ballot_sync", &mine, [](const std::array<void*, 32>& lanes) {
    unsigned bits = 0;
    for (int l = 0; l < 32; ++l) bits |= unsigned{static_cast<Operand*>(lanes[l])->in} << l;
    for (void* lane : lanes) static_cast<Operand*>(lane)->out = bits;
  });
  return mine.out;
}
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }

template <class T>
T __shfl_xor_sync(unsigned, T value, int mask) {
  return deberta::emulation::shuffle("__shfl_xor_sync", value, [mask](int lane) { return lane ^ mask; });
}
template <class T>
T __shfl_sync(unsigned, T value, int from) {
  return deberta::emulation::shuffle("__shfl_sync", value, [from](int) { return from; });
}
