// The band kernel on wgmma and tensor copies, sm_90a: the algorithm of attention_mma.cuh with tiles of 64 keys. One
// warp asks for copies; each of kConsumers warpgroups has 64 queries of one head and goes its own way, sharing only the
// copies.
//
// With r the query within the warpgroup's 64 and c the key, and e counting distances downwards in blocks of 64:
// warpgroup g sees e - 64 q = n * 64 + 63 - r + c at the n-th tile of the band, q = kConsumers - 1 - g, which is in
// blocks n + q and n + q + 1. It keeps c2p [r][e mod 128] from tile to tile and adds block n + q + 1; p2c [c][63 - r +
// c] is made anew.
#pragma once

#include "backends/cuda/attention_tiles.cuh"
#include "backends/cuda/warpgroup.cuh"

namespace deberta::cuda {

template <int kDim_, int kConsumers_>
struct WarpgroupBand {
  static constexpr int kDim = kDim_, kConsumers = kConsumers_;
  static constexpr int kRows = 64 * kConsumers, kKeys = 64;
  static constexpr int kThreads = kWarpgroup * (kConsumers + 1);
  static constexpr int kBoxCols =
      kDim < 64 ? kDim : 64;  // of one copy; a tile of 128 columns is two, one after the other
  static constexpr int kRowBytes = kBoxCols * 2;
  static constexpr int kBoxBytes = 64 * kRowBytes;
  static constexpr int kTileBytes = 64 * kDim * 2;  // 64 rows of anything
  static constexpr int kStages = 2;                 // of keys and of values
  static constexpr int kSlots = kConsumers + 2;     // blocks of distances: those in use, and one on its way
  static constexpr int kPitch = 128 + 8;            // of the bands, elements: diagonal reads meet no bank twice
  static constexpr int kBandBytes = 64 * kPitch * 2;

  static constexpr int kQuery = 0;
  static constexpr int kKey = kQuery + kConsumers * kTileBytes;
  static constexpr int kValue = kKey + kStages * kTileBytes;
  static constexpr int kPosKey = kValue + kStages * kTileBytes;
  static constexpr int kPosQuery = kPosKey + kSlots * kTileBytes;
  static constexpr int kQueryBand = kPosQuery + kSlots * kTileBytes;  // one per warpgroup
  static constexpr int kKeyBand = kQueryBand + kConsumers * kBandBytes;
  static constexpr int kQueryFull = kKeyBand + kConsumers * kBandBytes;  // barriers
  static constexpr int kKeyFull = kQueryFull + 8;
  static constexpr int kValueFull = kKeyFull + kStages * 8;
  static constexpr int kKeyEmpty = kValueFull + kStages * 8;
  static constexpr int kValueEmpty = kKeyEmpty + kStages * 8;
  static constexpr size_t kSharedBytes = kValueEmpty + kStages * 8;
};

struct BandMaps {
  TensorMap query, key, value, pos_key, pos_query;  // boxes of 64 rows
};

/// What the copying warp and the warpgroups both know of a block's work.
template <class Band, class T>
struct BandWork {
  const TiledAttention<T>& args;
  const uint32_t shared = shared_base();
  const int head = blockIdx.y;
  QueryTile tile;
  KeyTiles keys;
  int consumers = 0;  // warpgroups that have queries

  __device__ __forceinline__ explicit BandWork(const TiledAttention<T>& args) : args(args) {
    tile = find_tile<Band::kRows>(args.cu_seqlens, args.num_sequences, blockIdx.x);
    keys = classify_keys<Band::kRows, Band::kKeys>(args, tile);
    consumers = min(Band::kConsumers, (tile.length - tile.first_query + 63) / 64);
  }

  __device__ __forceinline__ bool near(int step) const { return step >= keys.near_begin && step < keys.near_end; }
  __device__ __forceinline__ uint32_t barrier(int first, int stage) const { return shared + first + stage * 8; }
  __device__ __forceinline__ uint32_t slot(int first, int block) const {
    return shared + first + block % Band::kSlots * Band::kTileBytes;
  }

  __device__ __forceinline__ void make_barriers() {
    mbarrier_init(shared + Band::kQueryFull, 1);
    for (int i = 0; i < Band::kStages; ++i) {
      mbarrier_init(barrier(Band::kKeyFull, i), 1);
      mbarrier_init(barrier(Band::kValueFull, i), 1);
      mbarrier_init(barrier(Band::kKeyEmpty, i), 4 * consumers);  // a warp each
      mbarrier_init(barrier(Band::kValueEmpty, i), 4 * consumers);
    }
    mbarrier_init_fence();
  }
};

/// The copying warp: one thread that asks for every tile in the order of its use.
template <class Band, class T>
struct BandCopies {
  const BandWork<Band, T>& work;
  const BandMaps& maps;

  /// 64 rows of the head's columns.
  __device__ __forceinline__ void copy(uint32_t to, const TensorMap& map, uint32_t barrier, int64_t row) const {
#pragma unroll
    for (int part = 0; part < Band::kDim / Band::kBoxCols; ++part) {
      tensor_load(to + part * Band::kBoxBytes, map, barrier, work.head * Band::kDim + part * Band::kBoxCols,
                  static_cast<int32_t>(row));
    }
  }

  __device__ __forceinline__ void copy_block(int block, uint32_t barrier) const {
    const int largest = work.tile.first_query - work.keys.near_begin * Band::kKeys + Band::kRows - 1;
    const int row = work.args.top_distance - largest + block * 64;
    if (work.args.pos_key) copy(work.slot(Band::kPosKey, block), maps.pos_key, barrier, row);
    if (work.args.pos_query) copy(work.slot(Band::kPosQuery, block), maps.pos_query, barrier, row);
  }

  __device__ __forceinline__ void run() const {
    const uint32_t query_full = work.shared + Band::kQueryFull;
    mbarrier_arrive_expect(query_full, work.consumers * Band::kTileBytes);
    for (int g = 0; g < work.consumers; ++g) {
      copy(work.shared + Band::kQuery + g * Band::kTileBytes, maps.query, query_full,
           work.tile.begin + work.tile.first_query + g * 64);
    }
    const int tables = (work.args.pos_key != nullptr) + (work.args.pos_query != nullptr);
    StageCursor<Band::kStages> cursor;
    for (int step = 0; step < work.keys.num_tiles; ++step) {
      const int n = step - work.keys.near_begin;
      const int first_block = n == 0 ? 0 : n + Band::kConsumers;
      const int blocks = work.near(step) ? n + Band::kConsumers - first_block + 1 : 0;
      const int64_t token = work.tile.begin + step * Band::kKeys;
      const uint32_t key_full = work.barrier(Band::kKeyFull, cursor.stage);
      const uint32_t value_full = work.barrier(Band::kValueFull, cursor.stage);
      mbarrier_wait(work.barrier(Band::kKeyEmpty, cursor.stage), cursor.parity ^ 1);
      mbarrier_arrive_expect(key_full, (1 + blocks * tables) * Band::kTileBytes);
      copy(work.shared + Band::kKey + cursor.stage * Band::kTileBytes, maps.key, key_full, token);
      for (int block = first_block; block < first_block + blocks; ++block) copy_block(block, key_full);
      mbarrier_wait(work.barrier(Band::kValueEmpty, cursor.stage), cursor.parity ^ 1);
      mbarrier_arrive_expect(value_full, Band::kTileBytes);
      copy(work.shared + Band::kValue + cursor.stage * Band::kTileBytes, maps.value, value_full, token);
      cursor.advance();
    }
  }
};

/// One warpgroup with its 64 queries.
template <class Band, class T>
struct BandConsumer {
  static constexpr int kDim = Band::kDim;
  static constexpr int kScores = 32;  // of a thread: 64 x 64 over 128 threads

  const BandWork<Band, T>& work;
  const TiledAttention<T>& args;
  const int group = threadIdx.x / kWarpgroup;
  const int lane = threadIdx.x % 32;
  const int row = threadIdx.x % kWarpgroup / 32 * 16 + lane / 4;  // of the warpgroup's 64; and row + 8
  const int offset = Band::kConsumers - 1 - group;                // q
  const uint32_t query = work.shared + Band::kQuery + group * Band::kTileBytes;
  const uint32_t query_band = work.shared + Band::kQueryBand + group * Band::kBandBytes;
  const uint32_t key_band = work.shared + Band::kKeyBand + group * Band::kBandBytes;
  float far_query[2][2] = {};  // a_i: [side][row half]
  float output[kDim / 2] = {};
  OnlineSoftmax softmax;
  StageCursor<Band::kStages> cursor;

  __device__ __forceinline__ explicit BandConsumer(const BandWork<Band, T>& work) : work(work), args(work.args) {}

  __device__ __forceinline__ void meet() const { barrier_sync(1 + group, kWarpgroup); }
  __device__ __forceinline__ void release(int first) const {
    if (lane == 0) mbarrier_arrive(work.barrier(first, cursor.stage));
  }

  /// a_i = scale * Q_i . pos_key[row of the distances beyond side], from global memory.
  __device__ __forceinline__ void score_far_queries() {
    const bool far = work.keys.near_begin > 0 || work.keys.near_end < work.keys.num_tiles;
    if (!args.pos_key || !far) return;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int token = min(work.tile.first_query + group * 64 + row + half * 8, work.tile.length - 1);
      const T* q = args.query + (work.tile.begin + token) * args.query_stride + work.head * kDim + lane % 4 * 2;
#pragma unroll
      for (int side = 0; side < 2; ++side) {
        float sum = 0.0f;
        const int64_t position = args.top_distance - (side ? args.low : args.high);
        const T* p = args.pos_key + position * args.position_stride + work.head * kDim + lane % 4 * 2;
        for (int i = 0; i < kDim; i += 8) {
          float q0, q1, p0, p1;
          unpack_pair<T>(*reinterpret_cast<const uint32_t*>(q + i), q0, q1);
          unpack_pair<T>(*reinterpret_cast<const uint32_t*>(p + i), p0, p1);
          sum = fmaf(q0, p0, fmaf(q1, p1, sum));
        }
        sum += __shfl_xor_sync(0xFFFFFFFFu, sum, 1);
        sum += __shfl_xor_sync(0xFFFFFFFFu, sum, 2);
        far_query[side][half] = args.scale * sum;
      }
    }
  }

  /// sums [64, 64] = a [64, kDim] b [64, kDim]^T, both tiles in shared memory. Asynchronous.
  __device__ __forceinline__ void multiply(float (&sums)[kScores], uint32_t a, uint32_t b) const {
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < kDim / 16; ++k) {
      const uint32_t at = k * 32 / Band::kRowBytes * Band::kBoxBytes + k * 32 % Band::kRowBytes;
      wgmma_ss<T, 64>(sums, tile_descriptor<Band::kRowBytes>(a + at), tile_descriptor<Band::kRowBytes>(b + at), k > 0);
    }
  }

  /// Scaled products into columns [column, + 64) of a band.
  __device__ __forceinline__ void store_band(const float (&sums)[kScores], uint32_t band, int column) const {
#pragma unroll
    for (int i = 0; i < kScores; i += 2) {
      const int r = row + i / 2 % 2 * 8, c = column + i / 4 * 8 + lane % 4 * 2;
      store_shared<uint32_t>(band + (r * Band::kPitch + c) * 2,
                             pack_saturated(sums[i] * args.scale, sums[i + 1] * args.scale));
    }
  }

  /// c2p of the first block of distances, which no later tile adds.
  __device__ __forceinline__ void enter_band() const {
    float sums[kScores];
    multiply(sums, query, work.slot(Band::kPosKey, offset));
    wgmma_commit();
    wgmma_wait<0>(sums);
    store_band(sums, query_band, 0);  // first use of the band: nobody has read it
  }

  /// Scores of key tile n of the band, bands included. Gives the key stage back.
  __device__ __forceinline__ void score_near(float (&scores)[kScores], uint32_t key, int n) const {
    float c2p[kScores], p2c[2][kScores];
    multiply(scores, query, key);
    if (args.pos_key) multiply(c2p, query, work.slot(Band::kPosKey, n + offset + 1));
    wgmma_commit();
    if (args.pos_query) {
      multiply(p2c[0], key, work.slot(Band::kPosQuery, n + offset));
      multiply(p2c[1], key, work.slot(Band::kPosQuery, n + offset + 1));
    }
    wgmma_commit();
    wgmma_wait<1>(scores, c2p);
    __syncwarp();  // the lanes have read what these columns of c2p were two tiles ago
    if (args.pos_key) store_band(c2p, query_band, (n + 1) % 2 * 64);
    meet();  // the other warps have read p2c of the last tile
    wgmma_wait<0>(p2c[0], p2c[1]);
    release(Band::kKeyEmpty);
    if (args.pos_query) {
      store_band(p2c[0], key_band, 0);
      store_band(p2c[1], key_band, 64);
    }
    meet();
    add_band(scores, n);
  }

  __device__ __forceinline__ void add_band(float (&scores)[kScores], int n) const {
#pragma unroll
    for (int i = 0; i < kScores; ++i) {
      const int r = row + i / 2 % 2 * 8, c = i / 4 * 8 + lane % 4 * 2 + i % 2;
      const int v = 63 - r + c;
      float sum = scores[i] * args.scale;
      if (args.pos_key) sum += band_score(query_band + (r * Band::kPitch + (n * 64 + v) % 128) * 2);
      if (args.pos_query) sum += band_score(key_band + (c * Band::kPitch + v) * 2);
      scores[i] = sum;
    }
  }

  __device__ __forceinline__ float band_score(uint32_t address) const {
    return to_float(Float16{load_shared<uint16_t>(address)});
  }

  __device__ __forceinline__ void score_far(float (&scores)[kScores], uint32_t key, int step) const {
    multiply(scores, query, key);
    wgmma_commit();
    wgmma_wait<0>(scores);
    release(Band::kKeyEmpty);
    const int side = step < work.keys.near_begin ? 0 : 1;
    const float a[2] = {side ? far_query[1][0] : far_query[0][0], side ? far_query[1][1] : far_query[0][1]};
    add_far_field(args, work.tile, work.head, side, step * Band::kKeys, a, scores);
  }

  /// Values of other sequences behind the last key: zero them, as a weight of zero does not silence an infinity.
  __device__ __forceinline__ void clear_tail(uint32_t value, int step) const {
    const int used = work.tile.length - step * Band::kKeys;
    if (used >= Band::kKeys) return;
    for (int i = threadIdx.x; i < (Band::kKeys - used) * (kDim / 8); i += work.consumers * kWarpgroup) {
      constexpr int kChunks = Band::kBoxCols / 8;  // a row is cleared whole: the swizzle stays within it
      const int r = used + i / kChunks % (Band::kKeys - used), part = i / kChunks / (Band::kKeys - used);
      store_shared<uint4>(value + part * Band::kBoxBytes + r * Band::kRowBytes + i % kChunks * 16,
                          make_uint4(0, 0, 0, 0));
    }
    fence_async_proxy();
    barrier_sync(1 + Band::kConsumers, work.consumers * kWarpgroup);
  }

  __device__ __forceinline__ void weigh_values(const float (&scores)[kScores], uint32_t value) {
    uint32_t weights[Band::kKeys / 16][4];
#pragma unroll
    for (int k = 0; k < Band::kKeys / 16; ++k) pack_weights<T>(scores, k, weights[k]);
    wgmma_fence();
#pragma unroll
    for (int k = 0; k < Band::kKeys / 16; ++k) {
      wgmma_rs_transposed<T, kDim>(output, weights[k],
                                   tile_descriptor<Band::kRowBytes>(value + k * 16 * Band::kRowBytes, Band::kBoxBytes));
    }
    wgmma_commit();
    wgmma_wait<0>(output, weights);
    release(Band::kValueEmpty);
  }

  __device__ __forceinline__ void run() {
    score_far_queries();
    mbarrier_wait(work.shared + Band::kQueryFull, 0);
    for (int step = 0; step < work.keys.num_tiles; ++step) {
      const uint32_t key = work.shared + Band::kKey + cursor.stage * Band::kTileBytes;
      const uint32_t value = work.shared + Band::kValue + cursor.stage * Band::kTileBytes;
      const int n = step - work.keys.near_begin;
      float scores[kScores];
      mbarrier_wait(work.barrier(Band::kKeyFull, cursor.stage), cursor.parity);
      if (work.near(step)) {
        if (n == 0 && args.pos_key) enter_band();
        score_near(scores, key, n);
      } else {
        score_far(scores, key, step);
      }
      mask_beyond(work.tile, step * Band::kKeys, scores);
      float rescale[2];
      softmax.update(scores, rescale);
#pragma unroll
      for (int i = 0; i < kDim / 2; ++i) output[i] *= rescale[i / 2 % 2];
      mbarrier_wait(work.barrier(Band::kValueFull, cursor.stage), cursor.parity);
      clear_tail(value, step);
      weigh_values(scores, value);
      cursor.advance();
    }
    store_rows(args, work.tile, work.head, group * 64 + row, softmax, output);
  }
};

template <class Band, class T>
__global__ void __launch_bounds__(Band::kThreads, 1)
    attention_warpgroup_kernel(const __grid_constant__ BandMaps maps, TiledAttention<T> args) {
  BandWork<Band, T> work(args);
  if (work.tile.first_query >= work.tile.length) return;
  if (threadIdx.x == 0) work.make_barriers();
  __syncthreads();
  const int role = threadIdx.x / kWarpgroup;
  if (role == Band::kConsumers) {
    if constexpr (Band::kConsumers == 2) release_registers<24>();
    if (threadIdx.x % kWarpgroup == 0) BandCopies<Band, T>{work, maps}.run();
  } else {
    if constexpr (Band::kConsumers == 2) claim_registers<240>();
    if (role < work.consumers) BandConsumer<Band, T>(work).run();
  }
}

}  // namespace deberta::cuda
