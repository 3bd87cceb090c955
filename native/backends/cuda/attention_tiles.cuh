// What the tiled attention kernels share: their arguments, which tile of which sequence a block has, which key tiles
// see a band of distances and which only a constant, the online softmax.
//
// Scores are kept in units of log 2: scale holds log2(e) too, so that exp is one exp2.
#pragma once

#include "backends/cuda/device.cuh"

namespace deberta::cuda {

template <class T>
struct TiledAttention {
  const T* query;
  const T* key;
  const T* value;
  T* output;
  const T* pos_key;    // [position_rows, position_stride], largest distance first; null: no c2p
  const T* pos_query;  // the same for p2c
  const float*
      far_field;  // [2, heads, total_tokens]: scale * K_j . pos_query[row], beyond the highest and lowest distance
  const int32_t* cu_seqlens;
  int64_t query_stride, key_stride, value_stride, output_stride, position_stride;
  int64_t position_rows, total_tokens;
  int32_t num_sequences, heads;
  int32_t top_distance, high, low;  // of Positions
  float scale;                      // times log2(e)
  int32_t output_pairs;             // output rows start on 4 bytes
  int32_t unused;                   // no padding: recorded launches are compared byte by byte
};

/// A block's queries: [first_query, first_query + rows of a tile) of the sequence at token `begin`.
struct QueryTile {
  int64_t begin;
  int length;       // of the sequence
  int first_query;  // may be beyond the length: then there is nothing to do
};

/// The tile of slot `slot`. Sequence s owns the slots from cu_seqlens[s] / kRows + s on, which are at least as many as
/// it has tiles: so no host and no other kernel has to count them. The warp looks at 32 sequences at a time.
template <int kRows>
__device__ __forceinline__ QueryTile find_tile(const int32_t* cu_seqlens, int num_sequences, int slot) {
  const int lane = threadIdx.x % 32;
  int low = 0, count = num_sequences;  // the sequence is in [low, low + count)
  while (count > 1) {
    const int step = (count + 31) / 32;
    const int s = low + lane * step;
    const bool before = s < low + count && cu_seqlens[s] / kRows + s <= slot;
    const int passed = __popc(__ballot_sync(0xFFFFFFFFu, before));
    const int start = low + (passed - 1) * step;
    count = min(step, low + count - start);
    low = start;
  }
  const int begin = cu_seqlens[low];
  return {begin, cu_seqlens[low + 1] - begin, (slot - begin / kRows - low) * kRows};
}

/// Key tiles [0, num_tiles) of one query tile: before `near_begin` every distance is at least `high`, from `near_end`
/// on every distance is at most `low`; between, scores need the band of distances.
struct KeyTiles {
  int num_tiles, near_begin, near_end;
};

template <int kRows, int kKeys, class T>
__device__ __forceinline__ KeyTiles classify_keys(const TiledAttention<T>& args, const QueryTile& tile) {
  KeyTiles keys;
  keys.num_tiles = (tile.length + kKeys - 1) / kKeys;
  if (!args.pos_key && !args.pos_query) return {keys.num_tiles, keys.num_tiles, keys.num_tiles};
  const int beyond = tile.first_query - (kKeys - 1) - args.high;  // smallest distance of tile 0, minus high
  keys.near_begin = min(keys.num_tiles, beyond < 0 ? 0 : beyond / kKeys + 1);
  const int before = tile.first_query + kRows - 1 - args.low;  // largest distance of tile 0, minus low
  const int end = before <= 0 ? 0 : (before + kKeys - 1) / kKeys;
  keys.near_end = min(keys.num_tiles, max(keys.near_begin, end));
  return keys;
}

/// Largest score and sum of exponentials so far of the two rows of scores that a thread has a share of.
struct OnlineSoftmax {
  float largest[2] = {-INFINITY, -INFINITY};
  float sum[2] = {0.0f, 0.0f};  // this thread's share

  /// Scores, laid out as registers of a product (four per 8 columns: two of row 0, two of row 1), become exponentials;
  /// returns in `rescale` what earlier sums have to be multiplied by.
  template <int kCount>
  __device__ __forceinline__ void update(float (&scores)[kCount], float (&rescale)[2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = largest[half];
#pragma unroll
      for (int i = 2 * half; i < kCount; i += 4) top = fmaxf(top, fmaxf(scores[i], scores[i + 1]));
      top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, 1));
      top = fmaxf(top, __shfl_xor_sync(0xFFFFFFFFu, top, 2));
      rescale[half] = exp2_fast(largest[half] - top);
      largest[half] = top;
      float part = 0.0f;
#pragma unroll
      for (int i = 2 * half; i < kCount; i += 4) {
        scores[i] = exp2_fast(scores[i] - top);
        scores[i + 1] = exp2_fast(scores[i + 1] - top);
        part += scores[i] + scores[i + 1];
      }
      sum[half] = sum[half] * rescale[half] + part;
    }
  }

  /// 1 / the whole sum of row `half`.
  __device__ __forceinline__ float inverse_sum(int half) const {
    float total = sum[half];
    total += __shfl_xor_sync(0xFFFFFFFFu, total, 1);
    total += __shfl_xor_sync(0xFFFFFFFFu, total, 2);
    return 1.0f / total;
  }
};

/// The exponentials of keys [16 * step, + 16) as the A operand of the next product.
template <class T, int kCount>
__device__ __forceinline__ void pack_weights(const float (&scores)[kCount], int step, uint32_t (&a)[4]) {
#pragma unroll
  for (int i = 0; i < 4; ++i) a[i] = pack_pair<T>(scores[8 * step + 2 * i], scores[8 * step + 2 * i + 1]);
}

/// scale * scores + a_i + b_j for keys [first_key, + 2 * kCount) of a tile beyond the band.
template <class T, int kCount>
__device__ __forceinline__ void add_far_field(const TiledAttention<T>& args, const QueryTile& tile, int head, int side,
                                              int first_key, const float (&far_query)[2], float (&scores)[kCount]) {
  const float* far_keys = args.far_field + (int64_t{side} * args.heads + head) * args.total_tokens + tile.begin;
#pragma unroll
  for (int i = 0; i < kCount; i += 4) {
#pragma unroll
    for (int k = 0; k < 2; ++k) {
      const int key = first_key + i * 2 + threadIdx.x % 4 * 2 + k;
      const float b = args.pos_query && key < tile.length ? far_keys[key] : 0.0f;
      scores[i + k] = fmaf(scores[i + k], args.scale, far_query[0] + b);
      scores[i + k + 2] = fmaf(scores[i + k + 2], args.scale, far_query[1] + b);
    }
  }
}

/// Keys from the end of the sequence on get no weight.
template <int kCount>
__device__ __forceinline__ void mask_beyond(const QueryTile& tile, int first_key, float (&scores)[kCount]) {
  if (first_key + kCount * 2 <= tile.length) return;
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    if (first_key + i / 4 * 8 + static_cast<int>(threadIdx.x % 4 * 2) + i % 2 >= tile.length) scores[i] = -INFINITY;
  }
}

/// The rows of a thread's share of the output, divided by their sums.
template <class T, int kCount>
__device__ __forceinline__ void store_rows(const TiledAttention<T>& args, const QueryTile& tile, int head, int row,
                                           const OnlineSoftmax& softmax, const float (&output)[kCount]) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const float inverse = softmax.inverse_sum(half);
    const int token = tile.first_query + row + half * 8;
    if (token >= tile.length) continue;
    T* to = args.output + (tile.begin + token) * args.output_stride + head * (kCount * 2) + threadIdx.x % 4 * 2;
#pragma unroll
    for (int i = 2 * half; i < kCount; i += 4) {
      const uint32_t pair = pack_pair<T>(output[i] * inverse, output[i + 1] * inverse);
      if (args.output_pairs) {
        *reinterpret_cast<uint32_t*>(to + i / 4 * 8) = pair;
      } else {
        to[i / 4 * 8] = T{static_cast<uint16_t>(pair)};
        to[i / 4 * 8 + 1] = T{static_cast<uint16_t>(pair >> 16)};
      }
    }
  }
}

/// far[side][token, head] = scale * K . pos_query[row of the distances beyond side], side 0: high, 1: low. A warp per
/// token and head; zero without p2c.
template <class T>
__global__ void __launch_bounds__(128) far_field_kernel(TiledAttention<T> args, float* far_field, int head_dim) {
  const int lane = threadIdx.x % 32;
  const int64_t item = int64_t{blockIdx.x} * 4 + threadIdx.x / 32;
  if (item >= args.total_tokens * args.heads) return;
  const int64_t token = item / args.heads, head = item % args.heads;
  const T* key = args.key + token * args.key_stride + head * head_dim;
  const T* high = args.pos_query + int64_t{args.top_distance - args.high} * args.position_stride + head * head_dim;
  const T* low = args.pos_query + int64_t{args.top_distance - args.low} * args.position_stride + head * head_dim;
  float sums[2] = {0.0f, 0.0f};
  for (int i = lane; i < head_dim; i += 32) {
    sums[0] = fmaf(to_float(key[i]), to_float(high[i]), sums[0]);
    sums[1] = fmaf(to_float(key[i]), to_float(low[i]), sums[1]);
  }
#pragma unroll
  for (int side = 0; side < 2; ++side) {
#pragma unroll
    for (int mask = 16; mask > 0; mask /= 2) sums[side] += __shfl_xor_sync(0xFFFFFFFFu, sums[side], mask);
    if (lane == 0) far_field[(side * args.heads + head) * args.total_tokens + token] = args.scale * sums[side];
  }
}

}  // namespace deberta::cuda
