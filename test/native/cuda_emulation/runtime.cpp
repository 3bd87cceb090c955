// The emulated CUDA runtime: devices, memory with guard pages, streams that run at once, graphs as lists of launches.
#include "runtime.h"

#include <cuda_runtime.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace deberta::emulation {

namespace {

struct Kernel {
  void* address;
  void (*invoke)(void*, void**);
  std::vector<size_t> argument_bytes;
  const char* name;
  int shared_limit = 48 << 10;
};

/// Copies of a launch's arguments, as a captured graph keeps them.
struct HeldArguments {
  struct alignas(64) Unit {
    char bytes[64];
  };
  std::vector<std::vector<Unit>> values;
  std::vector<void*> pointers;

  HeldArguments(const Kernel& kernel, void** args) {
    for (size_t i = 0; i < kernel.argument_bytes.size(); ++i) {
      values.emplace_back((kernel.argument_bytes[i] + 63) / 64);
      std::memcpy(values[i].data(), args[i], kernel.argument_bytes[i]);
      pointers.push_back(values[i].data());
    }
  }
};

struct Allocation {
  void* mapping;
  size_t mapped, bytes;
};

std::map<void*, std::unique_ptr<Kernel>> kernels;
std::map<void*, Allocation> allocations;
size_t memory_limit = 0, memory_used = 0;
int device = 0;
cudaError_t last_error = cudaSuccess;
std::string last_report;
Counters counted;
EmulatedGraph* capture = nullptr;

cudaError_t fail(cudaError_t error) { return last_error = error; }

cudaError_t run_kernel(const Kernel& kernel, dim3 grid, dim3 size, void** args, size_t shared_bytes) {
  const std::string found =
      run_grid(kernel.name, grid, size, shared_bytes, [&] { kernel.invoke(kernel.address, args); });
  if (found.empty()) return cudaSuccess;
  last_report = found;
  return fail(cudaErrorLaunchFailure);
}

/// A touch of a guard page or of nothing at all: name the kernel and give up, as no fiber can go on from here.
void on_segv(int) {
  char text[256];
  const int length =
      std::snprintf(text, sizeof text,
                    "emulated GPU: global memory out of bounds or misaligned in %s, block (%u, %u, %u), thread %d\n",
                    current ? block.kernel : "host code", block.position.x, block.position.y, block.position.z,
                    current ? current->index : -1);
  if (write(2, text, length) < 0) _exit(98);
  _exit(99);
}

void install_handler() {
  static bool installed = false;
  if (installed) return;
  installed = true;
  static char stack[64 << 10];
  stack_t alternate{};
  alternate.ss_sp = stack;
  alternate.ss_size = sizeof stack;
  sigaltstack(&alternate, nullptr);
  struct sigaction action{};
  action.sa_handler = on_segv;
  action.sa_flags = SA_ONSTACK;
  sigaction(SIGSEGV, &action, nullptr);
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

void limit_memory(size_t bytes) { memory_limit = bytes; }
size_t allocated_bytes() { return memory_used; }
std::string take_report() { return std::exchange(last_report, {}); }
Counters counters() { return counted; }

const void* register_kernel(void* address, void (*invoke)(void*, void**), std::vector<size_t> argument_bytes,
                            const char* name) {
  auto& kernel = kernels[address];
  if (!kernel) kernel.reset(new Kernel{address, invoke, std::move(argument_bytes), name});
  return kernel.get();
}

}  // namespace deberta::emulation

using namespace deberta::emulation;

struct EmulatedStream {};
struct EmulatedGraph {
  std::vector<std::function<cudaError_t()>> launches;
};

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    default:
      return "cudaErrorUnknown";
  }
}

const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorLaunchFailure ? last_report.c_str() : cudaGetErrorName(error);
}

cudaError_t cudaGetLastError() { return std::exchange(last_error, cudaSuccess); }
cudaError_t cudaDriverGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 13000, cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) { return *count = 2, cudaSuccess; }

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int index) {
  if (index < 0 || index > 1) return fail(cudaErrorInvalidDevice);
  *properties = cudaDeviceProp();
  std::snprintf(properties->name, sizeof properties->name, "Emulated GPU %d", index);
  properties->major = index ? 9 : 8;
  properties->minor = index ? 0 : 6;
  properties->multiProcessorCount = 3;  // few, so that persistent blocks take several turns
  properties->sharedMemPerBlockOptin = (index ? 227 : 99) << 10;
  properties->totalGlobalMem = size_t{8} << 30;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int index) { return device = index, cudaSuccess; }

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  install_handler();
  if (memory_limit && memory_used + bytes > memory_limit) return fail(cudaErrorMemoryAllocation);
  const size_t page = 4096, rounded = (bytes + 15) / 16 * 16;
  const size_t mapped = (rounded + page - 1) / page * page + page;
  void* mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return fail(cudaErrorMemoryAllocation);
  auto* end = static_cast<char*>(mapping) + mapped - page;
  mprotect(end, page, PROT_NONE);
  // Aligned less than the real one's 256 bytes, so that at most 63 bytes are left before the guard page.
  auto* start = reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(end - rounded) & ~uintptr_t{63});
  std::memset(mapping, 0xFF, mapped - page);  // every float type reads as not a number
  allocations[start] = {mapping, mapped, bytes};
  memory_used += bytes;
  *memory = start;
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  if (!memory) return cudaSuccess;
  const auto found = allocations.find(memory);
  if (found == allocations.end()) return fail(cudaErrorInvalidValue);
  munmap(found->second.mapping, found->second.mapped);
  memory_used -= found->second.bytes;
  allocations.erase(found);
  return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  *memory = ::operator new(bytes);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) { return ::operator delete(memory), cudaSuccess; }

cudaError_t cudaMemGetInfo(size_t* free_bytes, size_t* total_bytes) {
  *total_bytes = memory_limit ? memory_limit : size_t{8} << 30;
  *free_bytes = *total_bytes - memory_used;
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t) {
  if (capture) return fail(cudaErrorInvalidValue);
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new EmulatedStream();
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) { return delete stream, cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) {
  capture = new EmulatedGraph();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
  *graph = std::exchange(capture, nullptr);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new EmulatedGraph(*graph);
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t) {
  ++counted.graph_launches;
  for (const auto& launch : exec->launches) {
    if (const cudaError_t error = launch()) return error;
  }
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return delete exec, cudaSuccess; }

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute, int value) {
  auto* kernel = static_cast<Kernel*>(const_cast<void*>(function));
  cudaDeviceProp properties;
  cudaGetDeviceProperties(&properties, device);
  if (value < 0 || static_cast<size_t>(value) > properties.sharedMemPerBlockOptin) return fail(cudaErrorInvalidValue);
  kernel->shared_limit = value;
  return cudaSuccess;
}
cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void*) {
  return attributes->numRegs = 32, cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void* function, dim3 grid, dim3 size, void** args, size_t shared_bytes,
                             cudaStream_t) {
  const auto* kernel = static_cast<const Kernel*>(function);
  if (shared_bytes > static_cast<size_t>(kernel->shared_limit)) return fail(cudaErrorInvalidValue);
  if (capture) {
    const auto held = std::make_shared<HeldArguments>(*kernel, args);
    capture->launches.push_back([=] { return run_kernel(*kernel, grid, size, held->pointers.data(), shared_bytes); });
    return cudaSuccess;
  }
  ++counted.kernel_launches;
  return run_kernel(*kernel, grid, size, args, shared_bytes);
}
