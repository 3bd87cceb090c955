// The products of attention in bfloat16 with Intel AMX. A tile register takes 16 rows of 16 words: 16 packed rows of
// one block, or 16 words of head_dim for 16 columns, both as they lie; only the weights of P V have to be turned first.
#include "backends/cpu/isa/microkernels.h"
#include "backends/cpu/isa/vec_avx512.h"
//
#include "backends/cpu/isa/attention.inl.h"
#include "backends/cpu/isa/attention_bf16.inl.h"

namespace deberta {
namespace {

constexpr int kSide = 16;                       // rows and columns of a tile of sums
constexpr int64_t kRowBytes = 64;               // of a tile register
constexpr int kStrip = kStripVectors * kWidth;  // queries of a strip
constexpr int kMaxSteps = 64;                   // key pairs of a tile of keys

// Tile registers: 0 1 / 2 3 sums (upper and lower rows, left and right columns), 4 5 rows, 6 7 columns; all 16 x 64
// bytes.
void configure_tiles() {
  struct alignas(64) {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};
  } config;
  for (int t = 0; t < 8; ++t) {
    config.row_bytes[t] = kRowBytes;
    config.rows[t] = kSide;
  }
  _tile_loadconfig(&config);
}

/// Sums of one vector of columns go to `rows` rows of the product; a whole tile straight, part of one by way of memory.
#define DEBERTA_STORE_TILE(tile, to, stride, num_rows)                                         \
  do {                                                                                         \
    if ((num_rows) >= kSide) {                                                                 \
      _tile_stored(tile, to, (stride) * 4);                                                    \
    } else if ((num_rows) > 0) {                                                               \
      alignas(64) float sums[kSide * kSide];                                                   \
      _tile_stored(tile, sums, kRowBytes);                                                     \
      for (int r = 0; r < (num_rows); ++r) store((to) + r * (stride), load(sums + r * kSide)); \
    }                                                                                          \
  } while (0)

/// Rows [row, row + 32) of the product and its vectors [v, v + 2); what lies beyond is computed and dropped.
void multiply_tiles(const RowsProduct& args, int row, int v) {
  const bool lower = args.num_rows - row > kSide, right = args.vectors - v > 1;
  const float* rows = args.rows + row * kBlockWords;
  const float* columns = args.columns + v * args.vector_stride;
  const float* next = right ? columns + args.vector_stride : columns;
  if (args.init) {
    const float* init = args.init + v * kWidth;
    _tile_loadd(0, init, 0);
    _tile_loadd(1, init + (right ? kWidth : 0), 0);
    _tile_loadd(2, init, 0);
    _tile_loadd(3, init + (right ? kWidth : 0), 0);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int b = 0; b < args.blocks; ++b) {
    _tile_loadd(4, rows, kRowBytes);
    _tile_loadd(6, columns, args.column_stride * 4);
    _tile_dpbf16ps(0, 4, 6);
    if (right) {
      _tile_loadd(7, next, args.column_stride * 4);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (lower) {
      _tile_loadd(5, rows + kSide * kBlockWords, kRowBytes);
      _tile_dpbf16ps(2, 5, 6);
      if (right) _tile_dpbf16ps(3, 5, 7);
    }
    rows += args.block_stride;
    columns += kBlockWords * args.column_stride;
    next += kBlockWords * args.column_stride;
  }
  float* product = args.product + row * args.product_stride + v * args.product_vector_stride;
  float* below = product + kSide * args.product_stride;
  const int64_t beside = args.product_vector_stride;
  const int upper_rows = args.num_rows - row, lower_rows = upper_rows - kSide;
  DEBERTA_STORE_TILE(0, product, args.product_stride, upper_rows);
  if (right) DEBERTA_STORE_TILE(1, product + beside, args.product_stride, upper_rows);
  DEBERTA_STORE_TILE(2, below, args.product_stride, lower_rows);
  if (right) DEBERTA_STORE_TILE(3, below + beside, args.product_stride, lower_rows);
}

void multiply_rows_amx(const RowsProduct& args) {
  configure_tiles();
  for (int row = 0; row < args.num_rows; row += 2 * kSide) {
    prefetch_rows(args.prefetch);
    prefetch_rows(args.prefetch);  // 32 rows are more than the register tiles that others fetch for
    for (int v = 0; v < args.vectors; v += 2) multiply_tiles(args, row, v);
  }
  _tile_release();
}

/// As attention_pack_values, with zeros up to a whole tile of key pairs: garbage there would meet zero weights.
void pack_values_amx(const float* rows, int64_t stride, int count, int head_dim, float* packed, int64_t value_stride) {
  attention_pack_values<Bfloat16Words>(rows, stride, count, head_dim, packed, value_stride);
  const int steps = (count + 1) / 2;
  for (int64_t i = steps * value_stride; i < (steps + kSide - 1) / kSide * kSide * value_stride; i += kWidth) {
    store(packed + i, zero());
  }
}

/// weights [vectors][steps][width] -> packed rows [ceil(steps / 16)][strip][16 words], zeros beyond.
void turn_weights(const WeightedSum& args, float* turned) {
  for (int step = 0; step < args.steps; step += kSide) {
    for (int q = 0; q < args.queries; q += kWidth) {
      const float* weights = args.weights + q / kWidth * args.weight_vector_stride + step * kWidth;
      Vec block[kWidth];
      for (int k = 0; k < kSide; ++k) block[k] = step + k < args.steps ? load(weights + k * kWidth) : zero();
      transpose(block);
      for (int r = 0; r < kWidth; ++r) store(turned + step * kStrip + (q + r) * kBlockWords, block[r]);
    }
  }
}

/// Queries [query, query + 32) and columns [column, column + 32) of the sums.
void weigh_tiles(const WeightedSum& args, const float* turned, int query, int64_t column) {
  const int64_t sums_stride = padded_columns(args), sums_bytes = sums_stride * 4;
  const int64_t value_bytes = args.value_stride * 4;
  const bool lower = args.queries - query > kSide, right = column + kWidth < sums_stride;
  float* sums = args.sums + query * sums_stride + column;
  float* below = sums + kSide * sums_stride;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  if (args.correction) {
    _tile_loadd(0, sums, sums_bytes);
    if (right) _tile_loadd(1, sums + kWidth, sums_bytes);
    if (lower) _tile_loadd(2, below, sums_bytes);
    if (lower && right) _tile_loadd(3, below + kWidth, sums_bytes);
  }
  for (int step = 0; step < args.steps; step += kSide) {
    const float* weights = turned + step * kStrip + query * kBlockWords;
    const float* values = args.values + step * args.value_stride + column;
    _tile_loadd(4, weights, kRowBytes);
    _tile_loadd(6, values, value_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if (right) {
      _tile_loadd(7, values + kWidth, value_bytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if (lower) {
      _tile_loadd(5, weights + kSide * kBlockWords, kRowBytes);
      _tile_dpbf16ps(2, 5, 6);
      if (right) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, sums_bytes);
  if (right) _tile_stored(1, sums + kWidth, sums_bytes);
  if (lower) _tile_stored(2, below, sums_bytes);
  if (lower && right) _tile_stored(3, below + kWidth, sums_bytes);
}

void weigh_values_amx(const WeightedSum& args) {
  alignas(64) float turned[kMaxSteps * kStrip];
  turn_weights(args, turned);
  const int64_t columns = padded_columns(args);
  for (int q = 0; args.correction && q < args.queries; ++q) {
    const Vec factor = splat(args.correction[q]);
    float* row = args.sums + q * columns;
    for (int64_t c = 0; c < columns; c += kWidth) store(row + c, load(row + c) * factor);
  }
  configure_tiles();
  for (int query = 0; query < args.queries; query += 2 * kSide) {
    for (int64_t c = 0; c < columns; c += 2 * kWidth) weigh_tiles(args, turned, query, c);
  }
  _tile_release();
  if (args.divisor) divide_sums(args);
}

#undef DEBERTA_STORE_TILE

constexpr AttentionProducts amx_products() {
  AttentionProducts products = attention_products<Bfloat16Words>();
  products.p2c_rows = kSide;
  products.c2p_vectors = 2;  // what a pair of tiles computes at once
  products.pack_values = pack_values_amx;
  products.multiply_rows = multiply_rows_amx;
  products.weigh_values = weigh_values_amx;
  return products;
}

}  // namespace

constinit const AttentionProducts kAmxAttentionMicrokernels = amx_products();

}  // namespace deberta
