// What the kernels of elementwise.cuh and the host functions of rows.h say to each other.
#pragma once

#include <cstdint>

namespace deberta::cuda {

struct CopyShape {
  int64_t rows, cols;  // of the input
  int64_t in_stride;   // elements
  int64_t out_stride;  // elements
  int64_t out_cols;    // columns beyond `cols` are set to zero
};

/// Rows that are picked from a matrix: term[r] = data[rows[r]].
struct GatherTerm {
  const void* data;  // [*, features]; null: no such term
  const int32_t* rows;
  int64_t stride;
};

struct NeighbourShape {
  int64_t input_stride;
  int64_t first_token, num_tokens;  // of this chunk
  int32_t first_channel, channels;  // of this group
  int32_t kernel_size, num_sequences;
};

}  // namespace deberta::cuda
