// The band kernel on mma.sync, sm_80 and later: four warps, 64 queries, one head.
//
// Score (i, j) needs Q_i . pos_key[i - j] and K_j . pos_query[i - j]. A tile of 64 x 64 scores has only 127 distances,
// so both terms come from small products with the table rows of those distances, which are neighbours in memory. With r
// the query and c the key within the tile, and e counting distances downwards, e = n * kKeys + kRows - 1 - r + c at the
// n-th tile of the band. Two buffers in shared memory hold the products and are read along the diagonal:
//   c2p [r][e mod 128] grows by the kKeys new distances of each key tile (Q stays, so earlier ones stay right);
//   p2c [c][c mod 16 - r + kRows - 1] is made anew for each key tile, 80 distances for 16 keys.
// Both hold scores already scaled, in 16 bits: rounded like the scores of a half-precision reference, but not
// overflowing. Tiles beyond the band: score = Q K^T + a_i + b_j, no more than plain attention.
#pragma once

#include "backends/cuda/attention_tiles.cuh"

namespace deberta::cuda {

template <int kDim_>
struct BandTile {
  static constexpr int kDim = kDim_;
  static constexpr int kRows = 64;
  static constexpr int kKeys = kDim == 128 ? 32 : 64;  // 99 KB of shared memory must do
  static constexpr int kWarps = 4;
  static constexpr int kThreads = 32 * kWarps;
  static constexpr int kSteps = kDim / 16;       // of a product over kDim
  static constexpr int kBlocks = kRows / kKeys;  // blocks of kKeys distances in kRows
  static constexpr int kRing = 128;              // distances held: kRows + kKeys at least
  static constexpr int kQueryBand = kRing + 8;   // pitch of c2p, elements: diagonal reads meet no bank twice
  static constexpr int kKeyBand = 88;            // pitch of p2c
  static constexpr int kRowBytes = kDim * 2;
  static constexpr int kTileBytes = kKeys * kRowBytes;

  static constexpr uint32_t kKey = 0;
  static constexpr uint32_t kValue = kKey + kTileBytes;         // two stages
  static constexpr uint32_t kPosKey = kValue + 2 * kTileBytes;  // the newest kKeys distances
  static constexpr uint32_t kPosQuery = kPosKey + kTileBytes;   // ring of kRing distances
  static constexpr uint32_t kQueryBandAt = kPosQuery + kRing * kRowBytes;
  static constexpr uint32_t kKeyBandAt = kQueryBandAt + kRows * kQueryBand * 2;
  static constexpr size_t kSharedBytes = kKeyBandAt + kKeys * kKeyBand * 2;
};

/// 16-byte chunk `chunk` of row `row` in a tile with rows of kDim elements: chunks exchanged by row against bank
/// conflicts.
template <int kDim>
__device__ __forceinline__ uint32_t row_chunk(uint32_t tile, int row, int chunk) {
  if constexpr (kDim == 32) return tile + row * 64 + ((chunk ^ (row >> 1 & 3)) << 4);
  return tile + row * kDim * 2 + ((chunk ^ (row & 7)) << 4);
}

/// One block's work, in the order in which it happens.
template <int kDim, class T>
struct BandAttention {
  using Tile = BandTile<kDim>;
  static constexpr int kKeys = Tile::kKeys;
  static constexpr int kScores = kKeys / 2;  // of a thread: two rows

  const TiledAttention<T>& args;
  const uint32_t shared = shared_base();
  const int head = blockIdx.y;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const int row = warp * 16 + lane / 4;  // of the tile; and row + 8
  QueryTile tile;
  KeyTiles keys;
  int64_t first_position = 0;  // row of the position tables for e = 0
  uint32_t query[Tile::kSteps][4];
  float far_query[2][2] = {};  // a_i: [side][row half]
  float output[kDim / 2] = {};
  OnlineSoftmax softmax;

  __device__ __forceinline__ explicit BandAttention(const TiledAttention<T>& args) : args(args) {}

  // ---- loading ----

  /// kKeys rows into a tile. `row_of(i)` is the address of row i, null for a row of zeros.
  template <class RowOf>
  __device__ __forceinline__ void load_tile(uint32_t to, RowOf row_of) {
    constexpr int kChunks = kDim / 8;
#pragma unroll
    for (int i = threadIdx.x; i < kKeys * kChunks; i += Tile::kThreads) {
      const T* from = row_of(i / kChunks);
      copy_async_16(row_chunk<kDim>(to, i / kChunks, i % kChunks), from ? from + i % kChunks * 8 : args.key,
                    from != nullptr);
    }
  }

  __device__ __forceinline__ void load_tokens(uint32_t to, const T* matrix, int64_t stride, int step) {
    load_tile(to, [&](int i) -> const T* {
      const int token = step * kKeys + i;
      return token < tile.length ? matrix + (tile.begin + token) * stride + head * kDim : nullptr;
    });
  }

  /// Distances [block * kKeys, + kKeys) of the band from a position table.
  __device__ __forceinline__ void load_positions(uint32_t to, const T* table, int block) {
    load_tile(to, [&](int i) {
      int64_t position = first_position + block * kKeys + i;
      position = position < 0 ? 0 : position >= args.position_rows ? args.position_rows - 1 : position;
      return table + position * args.position_stride + head * kDim;
    });
  }

  __device__ __forceinline__ uint32_t ring_block(int block) const {
    return shared + Tile::kPosQuery + block % (Tile::kRing / kKeys) * Tile::kTileBytes;
  }

  __device__ __forceinline__ void load_band_block(int block) {
    if (args.pos_key) load_positions(shared + Tile::kPosKey, args.pos_key, block);
    if (args.pos_query) load_positions(ring_block(block), args.pos_query, block);
  }

  __device__ __forceinline__ bool near(int step) const { return step >= keys.near_begin && step < keys.near_end; }

  /// Everything that key tile `step` needs; what the first tile of the band needs besides is in enter_band().
  __device__ __forceinline__ void load_step(int step) {
    if (step >= keys.num_tiles) return;
    load_tokens(shared + Tile::kKey, args.key, args.key_stride, step);
    load_tokens(shared + Tile::kValue + step % 2 * Tile::kTileBytes, args.value, args.value_stride, step);
    if (near(step) && step > keys.near_begin) load_band_block(step - keys.near_begin + Tile::kBlocks);
    copy_async_commit();
  }

  /// The query rows of this thread, as A operands, straight from global memory.
  __device__ __forceinline__ void load_query() {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int token = tile.first_query + row + half * 8;
      const T* from = args.query + (tile.begin + token) * args.query_stride + head * kDim + lane % 4 * 2;
#pragma unroll
      for (int step = 0; step < Tile::kSteps; ++step) {
        query[step][half] = query[step][half + 2] = 0;
        if (token >= tile.length) continue;
        query[step][half] = *reinterpret_cast<const uint32_t*>(from + step * 16);
        query[step][half + 2] = *reinterpret_cast<const uint32_t*>(from + step * 16 + 8);
      }
    }
  }

  /// a_i = scale * Q_i . pos_key[row of the distances beyond side].
  __device__ __forceinline__ void score_far_queries() {
    if (!args.pos_key) return;
#pragma unroll
    for (int side = 0; side < 2; ++side) {
      const int64_t position = args.top_distance - (side ? args.low : args.high);
      const T* far = args.pos_key + position * args.position_stride + head * kDim + lane % 4 * 2;
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float sum = 0.0f;
#pragma unroll
        for (int step = 0; step < Tile::kSteps; ++step) {
#pragma unroll
          for (int k = 0; k < 2; ++k) {
            float q0, q1, f0, f1;
            unpack_pair<T>(query[step][half + 2 * k], q0, q1);
            unpack_pair<T>(*reinterpret_cast<const uint32_t*>(far + step * 16 + k * 8), f0, f1);
            sum = fmaf(q0, f0, fmaf(q1, f1, sum));
          }
        }
        sum += __shfl_xor_sync(0xFFFFFFFFu, sum, 1);
        sum += __shfl_xor_sync(0xFFFFFFFFu, sum, 2);
        far_query[side][half] = args.scale * sum;
      }
    }
  }

  // ---- products ----

  /// sums [16 rows, 16 columns] = a . rows [first_row, + 16) of a tile^T.
  __device__ __forceinline__ void multiply_rows(float (&sums)[2][4], const uint32_t (&a)[Tile::kSteps][4],
                                                uint32_t rows, int first_row) {
#pragma unroll
    for (int step = 0; step < Tile::kSteps; ++step) {
      uint32_t b[4];
      ldmatrix_x4(b, row_chunk<kDim>(rows, first_row + lane / 16 * 8 + lane % 8, step * 2 + lane / 8 % 2));
      mma_16816<T>(sums[0], a[step], b[0], b[1]);
      mma_16816<T>(sums[1], a[step], b[2], b[3]);
    }
  }

  __device__ __forceinline__ void score_keys(float (&scores)[kScores]) {
#pragma unroll
    for (int n = 0; n < kKeys; n += 16) {
      float sums[2][4] = {};
      multiply_rows(sums, query, shared + Tile::kKey, n);
#pragma unroll
      for (int i = 0; i < 8; ++i) scores[n / 2 + i] = sums[i / 4][i % 4];
    }
  }

  /// Scaled [16, 16] products into a band at (row, column) of this thread's first element.
  __device__ __forceinline__ void store_band(const float (&sums)[2][4], uint32_t band, int pitch, int band_row,
                                             int column) {
#pragma unroll
    for (int n = 0; n < 2; ++n) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        store_shared<uint32_t>(band + ((band_row + half * 8) * pitch + column + n * 8) * 2,
                               pack_saturated(sums[n][2 * half] * args.scale, sums[n][2 * half + 1] * args.scale));
      }
    }
  }

  /// The new columns of c2p: this warp's 16 queries by the kKeys distances of `block`.
  __device__ __forceinline__ void extend_query_band(int block) {
    const int first = block * kKeys % Tile::kRing;
#pragma unroll
    for (int n = 0; n < kKeys; n += 16) {
      float sums[2][4] = {};
      multiply_rows(sums, query, shared + Tile::kPosKey, n);
      store_band(sums, shared + Tile::kQueryBandAt, Tile::kQueryBand, row, first + n + lane % 4 * 2);
    }
  }

  /// p2c of key tile n of the band. The 16-key groups and their five 16-distance groups are shared out among the warps.
  __device__ __forceinline__ void make_key_band(int n) {
    constexpr int kGroups = kKeys / 16;
    const int group = warp % kGroups;
    uint32_t key[Tile::kSteps][4];
#pragma unroll
    for (int step = 0; step < Tile::kSteps; ++step) {
      ldmatrix_x4(key[step], row_chunk<kDim>(shared + Tile::kKey, group * 16 + lane % 16, step * 2 + lane / 16));
    }
    for (int j = warp / kGroups; j < Tile::kRows / 16 + 1; j += Tile::kWarps / kGroups) {
      float sums[2][4] = {};
      multiply_rows(sums, key, shared + Tile::kPosQuery, (n * kKeys + (group + j) * 16) % Tile::kRing);
      store_band(sums, shared + Tile::kKeyBandAt, Tile::kKeyBand, group * 16 + lane / 4, j * 16 + lane % 4 * 2);
    }
  }

  /// Before the first tile of the band: the distances that tile n = 0 has and no step loads.
  __device__ __forceinline__ void enter_band() {
    for (int block = 0; block <= Tile::kBlocks; ++block) {
      __syncthreads();
      load_band_block(block);
      copy_async_commit();
      if (block == Tile::kBlocks) return;  // that one is computed with the tile itself
      copy_async_wait<0>();
      __syncthreads();
      if (args.pos_key) extend_query_band(block);
    }
  }

  // ---- scores to output ----

  __device__ __forceinline__ float band_score(uint32_t address) const {
    return to_float(Float16{load_shared<uint16_t>(shared + address)});
  }

  /// scores = scale * scores + both bands along the diagonal, at tile n of the band.
  __device__ __forceinline__ void add_band(float (&scores)[kScores], int n) {
#pragma unroll
    for (int i = 0; i < kScores; ++i) {
      const int r = row + i / 2 % 2 * 8, c = i / 4 * 8 + lane % 4 * 2 + i % 2;
      float sum = scores[i] * args.scale;
      const int e = n * kKeys + Tile::kRows - 1 - r + c;
      if (args.pos_key) sum += band_score(Tile::kQueryBandAt + (r * Tile::kQueryBand + e % Tile::kRing) * 2);
      const int v = c % 16 - r + Tile::kRows - 1;
      if (args.pos_query) sum += band_score(Tile::kKeyBandAt + (c * Tile::kKeyBand + v) * 2);
      scores[i] = sum;
    }
  }

  __device__ __forceinline__ void weigh_values(const float (&scores)[kScores], const float (&rescale)[2], int step) {
    const uint32_t value = shared + Tile::kValue + step % 2 * Tile::kTileBytes;
#pragma unroll
    for (int i = 0; i < kDim / 2; ++i) output[i] *= rescale[i / 2 % 2];
#pragma unroll
    for (int k = 0; k < kKeys / 16; ++k) {
      uint32_t a[4];
      pack_weights<T>(scores, k, a);
#pragma unroll
      for (int d = 0; d < kDim / 8; d += 2) {
        uint32_t b[4];
        ldmatrix_x4_trans(b, row_chunk<kDim>(value, k * 16 + lane % 16, d + lane / 16));
        mma_16816<T>(part(output, d), a, b[0], b[1]);
        mma_16816<T>(part(output, d + 1), a, b[2], b[3]);
      }
    }
  }

  /// The four registers of columns [8 * n, + 8).
  static __device__ __forceinline__ float (&part(float (&registers)[kDim / 2], int n))[4] {
    return *reinterpret_cast<float(*)[4]>(&registers[4 * n]);
  }

  __device__ __forceinline__ void run() {
    tile = find_tile<Tile::kRows>(args.cu_seqlens, args.num_sequences, blockIdx.x);
    if (tile.first_query >= tile.length) return;
    keys = classify_keys<Tile::kRows, kKeys>(args, tile);
    // e = 0 stands for the largest distance of the band's first tile.
    first_position = int64_t{args.top_distance} - (tile.first_query - keys.near_begin * kKeys + Tile::kRows - 1);
    load_step(0);
    load_query();
    score_far_queries();
    for (int step = 0; step < keys.num_tiles; ++step) {
      const bool band = near(step);
      const int n = step - keys.near_begin;
      if (band && n == 0) enter_band();
      copy_async_wait<0>();
      __syncthreads();
      float scores[kScores];
      score_keys(scores);
      if (band) {
        if (args.pos_key) extend_query_band(n + Tile::kBlocks);
        if (args.pos_query) make_key_band(n);
      }
      __syncthreads();
      load_step(step + 1);  // the key tile and the oldest distances are done with
      if (band) {
        add_band(scores, n);
      } else {
        const int side = step < keys.near_begin ? 0 : 1;
        const float a[2] = {side ? far_query[1][0] : far_query[0][0], side ? far_query[1][1] : far_query[0][1]};
        add_far_field(args, tile, head, side, step * kKeys, a, scores);
      }
      mask_beyond(tile, step * kKeys, scores);
      float rescale[2];
      softmax.update(scores, rescale);
      weigh_values(scores, rescale, step);
    }
    store_rows(args, tile, head, row, softmax, output);
  }
};

template <int kDim, class T>
__global__ void __launch_bounds__(BandTile<kDim>::kThreads) attention_mma_kernel(TiledAttention<T> args) {
  BandAttention<kDim, T>(args).run();
}

}  // namespace deberta::cuda
