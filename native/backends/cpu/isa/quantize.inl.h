// Rows to unsigned bytes and integer sums back to floats, against `Vec`, words_*.h and epilogue.inl.h.
//
// A row r is a = scale (q - zero) with q in [0, 255] fitted to its own range. Values that stand out would take the
// range from all others: up to kMaxOutliers of them leave the row (q = zero) and return as float products, see
// Int8Product.

namespace deberta {
namespace {

// Times the root mean square of the row without its outliers. The logit error of the bundled classifier and its copies
// with outlier channels is flat from 3 to 8 (within 10 %, SST-2 test; 3 % less with 4 than with 8 where LayerNorm gains
// are x 16); normally distributed rows have an outlier in one of twenty.
constexpr float kOutlierLimit = 4.0f;
constexpr int kOutlierRounds = 3;  // outliers hide smaller ones: look again without them

constexpr int64_t kBlockValues = 4 * kGroupsPerBlock;
constexpr int kChains = 4;  // sums that do not wait for each other

struct RowRange {
  float low;   // <= 0
  float high;  // >= 0
  float mean_square;
};

struct RangeSums {
  Vec low[kChains], high[kChains], squares[kChains];

  RangeSums() {
    for (int c = 0; c < kChains; ++c) low[c] = high[c] = squares[c] = zero();
  }

  /// `values`: one block.
  void add(const float* values) {
#pragma GCC unroll 8
    for (int v = 0; v < (int)kBlockValues / kWidth; ++v) {
      const Vec x = load(values + v * kWidth);
      low[v % kChains] = min(low[v % kChains], x);
      high[v % kChains] = max(high[v % kChains], x);
      squares[v % kChains] = fma(x, x, squares[v % kChains]);
    }
  }

  RowRange range(int64_t k) const {
    const Vec lowest = min(min(low[0], low[1]), min(low[2], low[3]));
    const Vec highest = max(max(high[0], high[1]), max(high[2], high[3]));
    const Vec sum = (squares[0] + squares[1]) + (squares[2] + squares[3]);
    return {-reduce_max(zero() - lowest), reduce_max(highest), reduce_add(sum) / (float)k};
  }
};

inline RowRange row_range(const float* values, int64_t k) {
  RangeSums sums;
  for (int64_t block = 0; block < k; block += kBlockValues) sums.add(values + block);
  return sums.range(k);
}

/// from[k] * smooth[k] to `values`, zeros up to a whole block; the range.
inline RowRange smooth_row(const float* from, const float* smooth, int64_t k, float* values) {
  RangeSums sums;
  int64_t block = 0;
  for (; block + kBlockValues <= k; block += kBlockValues) {
#pragma GCC unroll 8
    for (int64_t i = block; i < block + kBlockValues; i += kWidth) store(values + i, load(from + i) * load(smooth + i));
    sums.add(values + block);
  }
  if (block < k) {
    for (int64_t i = block; i < block + kBlockValues; ++i) values[i] = i < k ? from[i] * smooth[i] : 0.0f;
    sums.add(values + block);
    block += kBlockValues;
  }
  return sums.range(block);
}

inline int smallest_outlier(const QuantizedRow& row) {
  int at = 0;
  for (int i = 1; i < row.num_outliers; ++i) {
    if (__builtin_fabsf(row.outlier_value[i]) < __builtin_fabsf(row.outlier_value[at])) at = i;
  }
  return at;
}

/// Adds one value to the row's outliers, in place of the smallest if there are kMaxOutliers. What a value must exceed
/// to be one from now on.
inline float keep_outlier(QuantizedRow& row, int32_t k, float value, float limit) {
  int at = row.num_outliers;
  if (at < kMaxOutliers) {
    ++row.num_outliers;
  } else {
    at = smallest_outlier(row);
  }
  row.outlier_k[at] = k;
  row.outlier_value[at] = value;
  if (row.num_outliers < kMaxOutliers) return limit;
  return __builtin_fabsf(row.outlier_value[smallest_outlier(row)]);
}

/// Moves values beyond `limit` from `values` to `row`, the largest of them if they are too many; how many.
inline int take_outliers(float* values, int64_t k, float limit, QuantizedRow& row) {
  const int before = row.num_outliers;
  for (int64_t i = 0; i < k; i += kWidth) {
    uint32_t lanes = lanes_of(less(splat(limit), abs(load(values + i))));
    for (; lanes != 0; lanes &= lanes - 1) {
      const int64_t at = i + __builtin_ctz(lanes);
      if (__builtin_fabsf(values[at]) > limit) limit = keep_outlier(row, (int32_t)at, values[at], limit);
    }
  }
  for (int i = before; i < row.num_outliers; ++i) values[row.outlier_k[i]] = 0.0f;
  return row.num_outliers - before;
}

/// Moves values that stand out from `values` to `row`; the range of what is left. Values of a later round are smaller
/// than those of the rounds before it, so what was taken once stays taken.
inline RowRange split_outliers(float* values, int64_t k, RowRange range, QuantizedRow& row) {
  row.num_outliers = 0;
  for (int round = 0; round < kOutlierRounds && row.num_outliers < kMaxOutliers; ++round) {
    const float limit = kOutlierLimit * __builtin_sqrtf(range.mean_square);
    if (range.high <= limit && -range.low <= limit) break;
    if (take_outliers(values, k, limit, row) == 0) break;
    range = row_range(values, k);
  }
  return range;
}

void pack_rows_int8(const float* rows, int64_t stride, int n, int tile_rows, int64_t k, const float* smooth,
                    float* scratch, void* packed, QuantizedRow* infos) {
  const int64_t padded = (k + kBlockValues - 1) / kBlockValues * kBlockValues;
  for (int r = 0; r < n; ++r) {
    QuantizedRow& info = infos[r];
    const RowRange whole = smooth_row(rows + r * stride, smooth, k, scratch);
    const RowRange range = split_outliers(scratch, padded, whole, info);
    const float width = range.high - range.low;
    info.scale = width > 0.0f ? width / 255.0f : 1.0f;
    const float inverse = 1.0f / info.scale;
    const float zero_point = (float)(int)(-range.low * inverse + 0.5f);
    info.zero = (int32_t)zero_point;
    uint8_t* to = (uint8_t*)packed + r * kBlockValues;
    for (int64_t block = 0; block < padded; block += kBlockValues, to += tile_rows * kBlockValues) {
#pragma GCC unroll 8
      for (int64_t v = 0; v < kBlockValues; v += kWidth) {
        store_bytes(to + v, fma(load(scratch + block + v), splat(inverse), splat(zero_point)));
      }
    }
  }
}

/// Products that are integer sums: (sum - zero * column_sum) * scale * column_scale, plus the outliers' part.
struct Int8Product {
  const float* product;  // [rows, kMaxPanelWidth], the bits of int32 sums
  Int8Scales scales;
  const QuantizedRow* info = nullptr;
  const float* row = nullptr;

  void begin_row(int r) {
    row = product + r * kMaxPanelWidth;
    info = scales.rows + r;
  }

  Vec load(int64_t c) const {
    const IntVec sums = load_int((const int32_t*)row + c);
    const IntVec exact = sub_int(sums, mul_int(splat_int(info->zero), load_int(scales.column_sum + c)));
    Vec value = int_to_float(exact) * splat(info->scale);
    for (int i = 0; i < info->num_outliers; ++i) {
      value = fma(splat(info->outlier_value[i]), weight_column(info->outlier_k[i], c), value);
    }
    return value * deberta::load(scales.column_scale + c);
  }

  /// Row k of the panel's weights as floats, from column c on: bytes of the words of k's group.
  Vec weight_column(int64_t k, int64_t c) const {
    const IntVec words = load_int((const int32_t*)scales.panel + k / 4 * kPanelWidth + c);
    return int_to_float(byte_of_words(words, (int)(k % 4)));
  }
};

void finish_tile_int8(const Epilogue& e, const Int8Scales& scales) { finish_from(e, Int8Product{e.product, scales}); }

}  // namespace
}  // namespace deberta
