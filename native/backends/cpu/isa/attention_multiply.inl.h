// The matrix products of attention: packed rows against columns (Q K^T and both position terms) and P V. Register tiles
// of kAttentionRows x 2 vectors; each sum runs over k in ascending order in one accumulator, so results do not depend
// on tiling.
#pragma once

#include "backends/cpu/isa/attention_words.inl.h"

namespace deberta {
namespace {

constexpr int kAttentionRows = kWidth == 16 ? 14 : 6;  // rows of a tile: x 2 vectors fill the registers

template <class Words, int Rows, int Vectors>
__attribute__((noinline)) void multiply_tile(const RowsProduct& args, const float* rows, int vector, float* product) {
  Vec sum[Rows][Vectors];
  for (int v = 0; v < Vectors; ++v) {
    const Vec init = args.init ? load(args.init + (vector + v) * kWidth) : zero();
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) sum[r][v] = init;
  }
  const float* columns = args.columns + vector * args.vector_stride;
  const int64_t column_stride = args.column_stride, vector_stride = args.vector_stride;
  for (int b = 0; b < args.blocks; ++b) {
#pragma GCC unroll 4
    for (int k = 0; k < kBlockWords; ++k) {
      Vec column[Vectors];
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) column[v] = load(columns + v * vector_stride);
      columns += column_stride;
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const Vec row = splat(rows[r * kBlockWords + k]);
#pragma GCC unroll 2
        for (int v = 0; v < Vectors; ++v) sum[r][v] = Words::multiply_add(row, column[v], sum[r][v]);
      }
    }
    rows += args.block_stride;
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) store(product + r * args.product_stride + v * kWidth, sum[r][v]);
  }
}

// The tile of `rows` rows, 1 <= rows <= kAttentionRows.
template <class Words, int Vectors, int Rows = kAttentionRows>
inline void multiply_rows(int num_rows, const RowsProduct& args, const float* rows, int vector, float* product) {
  if constexpr (Rows > 1) {
    if (num_rows < Rows) return multiply_rows<Words, Vectors, Rows - 1>(num_rows, args, rows, vector, product);
  }
  multiply_tile<Words, Rows, Vectors>(args, rows, vector, product);
}

constexpr int kPrefetchedRows = 6;  // per tile of a product: enough to be done before the tile of keys is

inline void prefetch_rows(RowPrefetch* prefetch) {
  for (int i = 0; i < kPrefetchedRows && prefetch->current < prefetch->num_rows; ++i) {
    RowPrefetch::Rows& rows = prefetch->rows[prefetch->current];
    for (int64_t b = 0; b < prefetch->bytes; b += 64) __builtin_prefetch(rows.at + b, 0, 2);
    rows.at += rows.stride;
    if (--rows.count <= 0) ++prefetch->current;
  }
}

// Rows are split into equal tiles: 16 = 8 + 8 rather than 14 + 2.
template <class Words>
void attention_multiply_rows(const RowsProduct& args) {
  const int tiles = (args.num_rows + kAttentionRows - 1) / kAttentionRows;
  for (int t = 0; t < tiles; ++t) {
    const int first = (int)((int64_t)args.num_rows * t / tiles), last = (int)((int64_t)args.num_rows * (t + 1) / tiles);
    const float* rows = args.rows + first * kBlockWords;
    float* product = args.product + first * args.product_stride;
    if (args.prefetch) prefetch_rows(args.prefetch);
    int v = 0;
    for (; v + 2 <= args.vectors; v += 2) multiply_rows<Words, 2>(last - first, args, rows, v, product + v * kWidth);
    if (v < args.vectors) multiply_rows<Words, 1>(last - first, args, rows, v, product + v * kWidth);
  }
}

template <class Words, int Queries, int Vectors>
__attribute__((noinline)) void weigh_tile(const WeightedSum& args, int query, int column) {
  constexpr int kStrip = 2 * kWidth;
  Vec sum[Queries][Vectors];
  float* output = args.output + query * args.value_stride + column;
#pragma GCC unroll 16
  for (int q = 0; q < Queries; ++q) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      sum[q][v] = args.correction
                      ? splat(args.correction[query + q]) * load(output + q * args.value_stride + v * kWidth)
                      : zero();
    }
  }
  const float* weights = args.weights + query;
  const float* values = args.values + column;
#pragma GCC unroll 4
  for (int k = 0; k < args.steps; ++k) {
    Vec value[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) value[v] = load(values + v * kWidth);
#pragma GCC unroll 16
    for (int q = 0; q < Queries; ++q) {
      const Vec weight = splat(weights[q]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sum[q][v] = Words::multiply_add(weight, value[v], sum[q][v]);
    }
    weights += kStrip;
    values += args.value_stride;
  }
#pragma GCC unroll 16
  for (int q = 0; q < Queries; ++q) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) store(output + q * args.value_stride + v * kWidth, sum[q][v]);
  }
}

template <class Words, int Vectors, int Queries = kAttentionRows>
inline void weigh_queries(int num_queries, const WeightedSum& args, int query, int column) {
  if constexpr (Queries > 1) {
    if (num_queries < Queries) return weigh_queries<Words, Vectors, Queries - 1>(num_queries, args, query, column);
  }
  weigh_tile<Words, Queries, Vectors>(args, query, column);
}

template <class Words>
void attention_weigh_values(const WeightedSum& args) {
  const int tiles = (args.queries + kAttentionRows - 1) / kAttentionRows;
  const int columns = (int)args.value_stride;
  int c = 0;
  for (; c + 2 * kWidth <= columns; c += 2 * kWidth) {
    for (int t = 0; t < tiles; ++t) {
      const int first = args.queries * t / tiles, last = args.queries * (t + 1) / tiles;
      weigh_queries<Words, 2>(last - first, args, first, c);
    }
  }
  for (int t = 0; c < columns && t < tiles; ++t) {
    const int first = args.queries * t / tiles, last = args.queries * (t + 1) / tiles;
    weigh_queries<Words, 1>(last - first, args, first, c);
  }
}

}  // namespace
}  // namespace deberta
