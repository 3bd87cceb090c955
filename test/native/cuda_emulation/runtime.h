// What a test may ask of the emulated runtime beyond CUDA's own functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace deberta::emulation {

/// cudaMalloc fails beyond this many bytes in all. 0: no limit.
void limit_memory(size_t bytes);
size_t allocated_bytes();

/// What the last failed launch reported; cleared by the call.
std::string take_report();

struct Counters {
  int64_t kernel_launches = 0;  // by themselves
  int64_t graph_launches = 0;
};
Counters counters();

/// A kernel, the way to call it with untyped arguments, and their sizes; gives what cudaLaunchKernel takes as
/// `function`.
const void* register_kernel(void* kernel, void (*invoke)(void* kernel, void** args), std::vector<size_t> argument_bytes,
                            const char* name);

}  // namespace deberta::emulation
