// What runs beside the threads of a block: cp.async groups, mbarriers, tensor copies (TMA) and warpgroup matrix
// products. Each takes effect as late as the instruction set allows, at the wait that promises it: code that reads
// early shows.
#pragma once

#include <cstdint>

namespace deberta::emulation {

/// For the next block. `clean`: the last one ended with nothing in flight.
void reset_async(bool clean);
/// Whether the running thread has copies, or its warpgroup products, that nobody waited for.
bool async_work_left();

// cp.async, per thread.
void copy_async(uint32_t shared_address, const void* global, uint32_t source_bytes);
void commit_copies();
void wait_copies(int groups_left);

/// A float16 by its bits, from a table: the compiler's own conversion is a call into its library.
float float16_value(uint16_t bits);

// mbarrier, in shared memory.
void barrier_init(uint32_t address, int arrivals);
void barrier_arrive(uint32_t address, uint32_t expected_bytes);
void barrier_wait(uint32_t address, uint32_t parity);

/// A row-major matrix of 16-bit elements in global memory and the box that one copy moves.
struct TensorMapData {
  const uint8_t* base;
  int64_t rows, cols, stride;  // stride in elements
  int32_t box_rows, box_cols;  // a box row is 64 or 128 bytes and sets the swizzle
};
/// Box with its corner at (row, col) into shared memory; zero beyond the matrix.
void tensor_copy(uint32_t shared_address, const TensorMapData& map, uint32_t barrier_address, int32_t col, int32_t row);

/// One wgmma.mma_async m64nNk16 as one thread of the warpgroup sees it.
struct MatrixProduct {
  int n;
  bool bfloat16;      // else float16
  bool accumulate;    // D += A B, else D = A B
  bool transposed_b;  // B is stored [k, n] rather than [n, k]
  const uint32_t* a;  // 4 registers, or null: descriptor_a
  uint64_t descriptor_a, descriptor_b;
  float* accumulator;  // n / 2 registers
};
void issue_product(const MatrixProduct& product);
void commit_products();
void wait_products(int groups_left);

}  // namespace deberta::emulation
