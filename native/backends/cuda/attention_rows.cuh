// Attention one query row at a time, by the formula of ops.h: for everything the tiled kernels do not cover. Any
// head_dim and dtype, gapped queries (EMD), talking heads, attention maps, float32. A block takes a row with all its
// heads, since talking heads mix them; its scores live in the block's own scratch in global memory.
#pragma once

#include "backends/cuda/elementwise.cuh"
#include "backends/cuda/layer_norm.cuh"

namespace deberta::cuda {

constexpr int kRowThreads = 256;

template <class T>
struct RowAttention {
  const T* query;
  const T* key;
  const T* value;
  T* output;
  const T* pos_key;    // [position_rows, width], largest distance first; null: no c2p
  const T* pos_query;  // the same for p2c
  const int32_t* cu_seqlens;
  const int32_t* query_cu_seqlens;  // cu_seqlens where the queries are all tokens
  const int32_t* query_positions;   // null: a query stands where it is in its sequence
  const float* head_logits_proj;    // [heads, heads] or null
  const float* head_weights_proj;
  float* probabilities;  // null: no maps
  const int64_t* probability_offsets;
  float* scratch;  // [blocks, 2, heads, longest]
  int64_t query_stride, key_stride, value_stride, output_stride;
  int64_t query_rows, position_rows, longest;
  int32_t num_sequences, heads, head_dim, top_distance;
  float scale;
  int32_t vectors;  // 16-bit rows of queries, keys and tables start on 16 bytes, head by head
};

/// Where one query row looks.
struct RowPlace {
  int sequence;
  int64_t first_key;
  int keys;
  int64_t position;
};

template <class T>
__device__ RowPlace place_row(const RowAttention<T>& args, int64_t row) {
  RowPlace place;
  place.sequence = find_sequence(args.query_cu_seqlens, args.num_sequences, row);
  place.first_key = args.cu_seqlens[place.sequence];
  place.keys = static_cast<int>(args.cu_seqlens[place.sequence + 1] - place.first_key);
  place.position = args.query_positions ? args.query_positions[row] : row - args.query_cu_seqlens[place.sequence];
  return place;
}

/// `vectors`: both start on 16 bytes and have whole groups of 8. The order of the sum is the same either way.
template <class T>
__device__ float dot(const T* a, const T* b, int size, bool vectors) {
  float sum = 0.0f;
  if constexpr (sizeof(T) == 2) {
    if (vectors) {
      for (int i = 0; i < size; i += 8) {
        const uint4 x = *reinterpret_cast<const uint4*>(a + i), y = *reinterpret_cast<const uint4*>(b + i);
        const uint32_t xs[4] = {x.x, x.y, x.z, x.w}, ys[4] = {y.x, y.y, y.z, y.w};
#pragma unroll
        for (int k = 0; k < 4; ++k) {
          float x0, x1, y0, y1;
          unpack_pair<T>(xs[k], x0, x1);
          unpack_pair<T>(ys[k], y0, y1);
          sum = fmaf(x1, y1, fmaf(x0, y0, sum));
        }
      }
      return sum;
    }
  }
  for (int i = 0; i < size; ++i) sum = fmaf(to_float(a[i]), to_float(b[i]), sum);
  return sum;
}

/// scores [heads, keys] of one query row.
template <class T>
__device__ void score_row(const RowAttention<T>& args, const RowPlace& place, int64_t row, float* scores) {
  const int64_t width = int64_t{args.heads} * args.head_dim;
  for (int i = threadIdx.x; i < args.heads * place.keys; i += kRowThreads) {
    const int head = i / place.keys, j = i % place.keys;
    const int64_t column = int64_t{head} * args.head_dim;
    const T* query = args.query + row * args.query_stride + column;
    const T* key = args.key + (place.first_key + j) * args.key_stride + column;
    int64_t position = args.top_distance - (place.position - j);
    position = position < 0 ? 0 : position >= args.position_rows ? args.position_rows - 1 : position;
    float sum = dot(query, key, args.head_dim, args.vectors);
    if (args.pos_key) sum += dot(query, args.pos_key + position * width + column, args.head_dim, args.vectors);
    if (args.pos_query) sum += dot(key, args.pos_query + position * width + column, args.head_dim, args.vectors);
    scores[i] = args.scale * sum;
  }
}

/// mixed = projection [heads, heads] * values [heads, keys].
__device__ inline void mix_heads(const float* projection, int heads, int keys, const float* values, float* mixed) {
  for (int i = threadIdx.x; i < heads * keys; i += kRowThreads) {
    const int head = i / keys, j = i % keys;
    float sum = 0.0f;
    for (int from = 0; from < heads; ++from) sum = fmaf(projection[head * heads + from], values[from * keys + j], sum);
    mixed[i] = sum;
  }
}

__device__ __forceinline__ float warp_max(float value) {
#pragma unroll
  for (int mask = 16; mask > 0; mask /= 2) value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, mask));
  return value;
}

/// Softmax of every head's row of scores in place, a warp per head.
__device__ inline void softmax_rows(float* scores, int heads, int keys) {
  const int lane = threadIdx.x % 32;
  for (int head = threadIdx.x / 32; head < heads; head += kRowThreads / 32) {
    float* row = scores + int64_t{head} * keys;
    float largest = row[0];
    for (int j = lane; j < keys; j += 32) largest = fmaxf(largest, row[j]);
    largest = warp_max(largest);
    float sum = 0.0f;
    for (int j = lane; j < keys; j += 32) sum += row[j] = expf(row[j] - largest);
    const float scale = 1.0f / warp_sum(sum);
    for (int j = lane; j < keys; j += 32) row[j] *= scale;
  }
}

/// output[row] = probabilities [heads, keys] * values, a thread per column. Sums of 32 keys are summed, for accuracy.
template <class T>
__device__ void weigh_values(const RowAttention<T>& args, const RowPlace& place, int64_t row, const float* scores) {
  for (int column = threadIdx.x; column < args.heads * args.head_dim; column += kRowThreads) {
    const float* weights = scores + int64_t{column / args.head_dim} * place.keys;
    const T* value = args.value + place.first_key * args.value_stride + column;
    float sum = 0.0f;
    for (int first = 0; first < place.keys; first += 32) {
      const int end = first + 32 < place.keys ? first + 32 : place.keys;
      float part = 0.0f;
      for (int j = first; j < end; ++j) part = fmaf(weights[j], to_float(value[j * args.value_stride]), part);
      sum += part;
    }
    args.output[row * args.output_stride + column] = from_float<T>(sum);
  }
}

/// maps[sequence][head, query, key].
template <class T>
__device__ void store_map(const RowAttention<T>& args, const RowPlace& place, int64_t row, const float* scores) {
  const int64_t first_query = args.query_cu_seqlens[place.sequence];
  const int64_t queries = args.query_cu_seqlens[place.sequence + 1] - first_query;
  float* map = args.probabilities + args.probability_offsets[place.sequence];
  for (int i = threadIdx.x; i < args.heads * place.keys; i += kRowThreads) {
    const int head = i / place.keys, j = i % place.keys;
    map[(head * queries + row - first_query) * place.keys + j] = scores[i];
  }
}

template <class T>
__global__ void __launch_bounds__(kRowThreads) attention_rows_kernel(RowAttention<T> args) {
  const int64_t half = int64_t{args.heads} * args.longest;
  for (int64_t row = blockIdx.x; row < args.query_rows; row += gridDim.x) {
    const RowPlace place = place_row(args, row);
    float* scores = args.scratch + int64_t{blockIdx.x} * 2 * half;
    float* mixed = scores + half;
    score_row(args, place, row, scores);
    __syncthreads();
    if (args.head_logits_proj) {
      mix_heads(args.head_logits_proj, args.heads, place.keys, scores, mixed);
      __syncthreads();
      float* swapped = scores;
      scores = mixed;
      mixed = swapped;
    }
    softmax_rows(scores, args.heads, place.keys);
    __syncthreads();
    if (args.head_weights_proj) {
      mix_heads(args.head_weights_proj, args.heads, place.keys, scores, mixed);
      __syncthreads();
      scores = mixed;
    }
    if (args.probabilities) store_map(args, place, row, scores);
    weigh_values(args, place, row, scores);
    __syncthreads();
  }
}

}  // namespace deberta::cuda
