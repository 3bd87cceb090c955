// The matrix products of attention: packed rows against columns (Q K^T and both position terms) and P V, in register
// tiles of a few rows x up to four vectors. Each sum runs over k in ascending order in one accumulator, so results do
// not depend on tiling.
#pragma once

#include "backends/cpu/isa/attention_words.inl.h"

namespace deberta {
namespace {

// Rows of a tile of so many vectors: sums, one row of columns and a broadcast fill the registers. A broadcast that only
// two multiply-adds share costs more than one that three or four share.
constexpr int kMaxTileVectors = kWidth == 16 ? 4 : 3;
constexpr int tile_rows(int vectors) {
  return kWidth == 16 ? (vectors == 4   ? 6
                         : vectors == 3 ? 9
                         : vectors == 2 ? 14
                                        : 16)
                      : (vectors == 3   ? 4
                         : vectors == 2 ? 6
                                        : 8);
}

/// How many of `vectors` vectors the next tiles take of a product with so many rows: they are shared out evenly.
inline int tile_vectors(int rows, int vectors) {
  const int most = rows > 6 && rows <= 9 ? 3 : kWidth == 16 ? 4 : 2;
  const int tiles = (vectors + most - 1) / most;
  return (vectors + tiles - 1) / tiles;
}

template <class Words, int Rows, int Vectors>
__attribute__((noinline)) void multiply_tile(const RowsProduct& args, const float* rows, int vector, float* product) {
  Vec sum[Rows][Vectors];
#pragma GCC unroll 4
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
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) column[v] = load(columns + v * vector_stride);
      columns += column_stride;
#pragma GCC unroll 16
      for (int r = 0; r < Rows; ++r) {
        const Vec row = splat(rows[r * kBlockWords + k]);
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sum[r][v] = Words::multiply_add(row, column[v], sum[r][v]);
      }
    }
    rows += args.block_stride;
  }
#pragma GCC unroll 16
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      store(product + r * args.product_stride + v * args.product_vector_stride, sum[r][v]);
    }
  }
}

// The tile of `rows` rows, 1 <= rows <= tile_rows(Vectors).
template <class Words, int Vectors, int Rows = tile_rows(Vectors)>
inline void multiply_rows(int num_rows, const RowsProduct& args, const float* rows, int vector, float* product) {
  if constexpr (Rows > 1) {
    if (num_rows < Rows) return multiply_rows<Words, Vectors, Rows - 1>(num_rows, args, rows, vector, product);
  }
  multiply_tile<Words, Rows, Vectors>(args, rows, vector, product);
}

inline void prefetch_rows(RowPrefetch* prefetch) {
  if (!prefetch) return;
  for (int i = 0; i < prefetch->at_once && prefetch->current < prefetch->num_rows; ++i) {
    RowPrefetch::Rows& rows = prefetch->rows[prefetch->current];
    for (int64_t b = 0; b < prefetch->bytes; b += 64) __builtin_prefetch(rows.at + b);
    rows.at += rows.stride;
    if (--rows.count <= 0) ++prefetch->current;
  }
}

/// All rows against Vectors vectors from `vector` on. Rows are split into equal tiles: 16 = 8 + 8 rather than 14 + 2.
template <class Words, int Vectors>
void multiply_columns(const RowsProduct& args, int vector) {
  const int tiles = (args.num_rows + tile_rows(Vectors) - 1) / tile_rows(Vectors);
  for (int t = 0; t < tiles; ++t) {
    const int first = (int)((int64_t)args.num_rows * t / tiles), last = (int)((int64_t)args.num_rows * (t + 1) / tiles);
    prefetch_rows(args.prefetch);
    multiply_rows<Words, Vectors>(last - first, args, args.rows + first * kBlockWords, vector,
                                  args.product + first * args.product_stride + vector * args.product_vector_stride);
  }
}

template <class Words>
void attention_multiply_rows(const RowsProduct& args) {
  for (int v = 0; v < args.vectors;) {
    const int vectors = tile_vectors(args.num_rows, args.vectors - v);
    if (vectors == 1) multiply_columns<Words, 1>(args, v);
    if (vectors == 2) multiply_columns<Words, 2>(args, v);
    if (vectors == 3) multiply_columns<Words, 3>(args, v);
    if constexpr (kMaxTileVectors >= 4) {
      if (vectors == 4) multiply_columns<Words, 4>(args, v);
    }
    v += vectors;
  }
}

inline int64_t padded_columns(const WeightedSum& args) { return (args.head_dim + kWidth - 1) / kWidth * kWidth; }

/// output = sums / divisor.
inline void divide_sums(const WeightedSum& args) {
  const int64_t sums_stride = padded_columns(args);
  for (int q = 0; q < args.queries; ++q) {
    const Vec factor = splat(1.0f / args.divisor[q]);
    const float* from = args.sums + q * sums_stride;
    float* to = args.output + q * args.output_stride;
    int c = 0;
    for (; c + kWidth <= args.head_dim; c += kWidth) store(to + c, load(from + c) * factor);
    if (c < args.head_dim) store_partial(to + c, load(from + c) * factor, args.head_dim - c);
  }
}

template <class Words, int Queries, int Vectors>
__attribute__((noinline)) void weigh_tile(const WeightedSum& args, int query, int column) {
  Vec sum[Queries][Vectors];
  const int64_t sums_stride = padded_columns(args);
  float* sums = args.sums + query * sums_stride + column;
#pragma GCC unroll 16
  for (int q = 0; q < Queries; ++q) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      sum[q][v] =
          args.correction ? splat(args.correction[query + q]) * load(sums + q * sums_stride + v * kWidth) : zero();
    }
  }
  const float* weights = args.weights + query / kWidth * args.weight_vector_stride + query % kWidth;
  const float* values = args.values + column;
#pragma GCC unroll 4
  for (int k = 0; k < args.steps; ++k) {
    Vec value[Vectors];
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) value[v] = load(values + v * kWidth);
#pragma GCC unroll 16
    for (int q = 0; q < Queries; ++q) {
      const Vec weight = splat(weights[q]);
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sum[q][v] = Words::multiply_add(weight, value[v], sum[q][v]);
    }
    weights += kWidth;
    values += args.value_stride;
  }
  const bool last = args.divisor != nullptr;
  float* to = last ? args.output + query * args.output_stride + column : sums;
  const int64_t stride = last ? args.output_stride : sums_stride;
#pragma GCC unroll 16
  for (int q = 0; q < Queries; ++q) {
    const Vec factor = splat(last ? 1.0f / args.divisor[query + q] : 1.0f);
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) store(to + q * stride + v * kWidth, sum[q][v] * factor);
  }
}

template <class Words, int Vectors, int Queries = tile_rows(Vectors)>
inline void weigh_queries(int num_queries, const WeightedSum& args, int query, int column) {
  if constexpr (Queries > 1) {
    if (num_queries < Queries) return weigh_queries<Words, Vectors, Queries - 1>(num_queries, args, query, column);
  }
  weigh_tile<Words, Queries, Vectors>(args, query, column);
}

/// All queries with Vectors columns of values. A tile's queries are of one vector: their weights share a cache line.
template <class Words, int Vectors>
void weigh_columns(const WeightedSum& args, int column) {
  for (int query = 0; query < args.queries; query += kWidth) {
    const int count = min_int(kWidth, args.queries - query);
    const int tiles = (count + tile_rows(Vectors) - 1) / tile_rows(Vectors);
    for (int t = 0; t < tiles; ++t) {
      const int first = count * t / tiles, last = count * (t + 1) / tiles;
      prefetch_rows(args.prefetch);
      weigh_queries<Words, Vectors>(last - first, args, query + first, column);
    }
  }
}

template <class Words>
void weigh_all_columns(const WeightedSum& args) {
  const int vectors = (int)(padded_columns(args) / kWidth);
  const int tiles = (vectors + kMaxTileVectors - 1) / kMaxTileVectors;
  for (int t = 0; t < tiles; ++t) {
    const int first = vectors * t / tiles, count = vectors * (t + 1) / tiles - first;
    if (count == 1) weigh_columns<Words, 1>(args, first * kWidth);
    if (count == 2) weigh_columns<Words, 2>(args, first * kWidth);
    if (count == 3) weigh_columns<Words, 3>(args, first * kWidth);
    if constexpr (kMaxTileVectors >= 4) {
      if (count == 4) weigh_columns<Words, 4>(args, first * kWidth);
    }
  }
}

/// Where rows of the output end between vectors, it takes a pass of its own: whole vectors would reach into the next
/// head.
template <class Words>
void attention_weigh_values(const WeightedSum& args) {
  if (!args.divisor || args.head_dim % kWidth == 0) return weigh_all_columns<Words>(args);
  WeightedSum sums_only = args;
  sums_only.divisor = nullptr;
  weigh_all_columns<Words>(sums_only);
  divide_sums(args);
}

}  // namespace
}  // namespace deberta
