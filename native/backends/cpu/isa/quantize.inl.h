// Rows to unsigned bytes and integer sums back to floats, against `Vec` and store_bytes(uint8_t*, Vec): kWidth integral
// values in [0, 255] as bytes.
//
// A row r is a = scale (q - zero) with q in [0, 255] fitted to its own range. Values that stand out would take the
// range from all others: up to kMaxOutliers of them leave the row (q = zero) and return as float products, see
// restore_tile.

namespace deberta {
namespace {

// Times the root mean square of the row without its outliers. The logit error of the bundled classifier and its copies
// with outlier channels is flat from 3 to 8 (within 10 %, SST-2 test; 3 % less with 4 than with 8 where LayerNorm gains
// are x 16); normally distributed rows have an outlier in one of twenty.
constexpr float kOutlierLimit = 4.0f;
constexpr int kOutlierRounds = 3;  // outliers hide smaller ones: look again without them

struct RowRange {
  float low;   // <= 0
  float high;  // >= 0
  float mean_square;
};

inline RowRange row_range(const float* values, int64_t k) {
  Vec low = zero(), high = zero(), squares = zero();
  for (int64_t i = 0; i < k; i += kWidth) {
    const Vec v = load(values + i);
    low = min(low, v);
    high = max(high, v);
    squares = fma(v, v, squares);
  }
  return {-reduce_max(zero() - low), reduce_max(high), reduce_add(squares) / (float)k};
}

/// Keeps the kMaxOutliers largest of what it is given.
inline void keep_outlier(QuantizedRow& row, int32_t k, float value) {
  int at = row.num_outliers;
  if (at == kMaxOutliers) {
    at = 0;
    for (int i = 1; i < kMaxOutliers; ++i) {
      if (__builtin_fabsf(row.outlier_value[i]) < __builtin_fabsf(row.outlier_value[at])) at = i;
    }
    if (__builtin_fabsf(row.outlier_value[at]) >= __builtin_fabsf(value)) return;
  } else {
    ++row.num_outliers;
  }
  row.outlier_k[at] = k;
  row.outlier_value[at] = value;
}

/// Moves values beyond the limit from `values` to `row`; the range of what is left.
inline RowRange split_outliers(float* values, int64_t k, QuantizedRow& row) {
  row.num_outliers = 0;
  RowRange range = row_range(values, k);
  for (int round = 0; round < kOutlierRounds; ++round) {
    const float limit = kOutlierLimit * __builtin_sqrtf(range.mean_square);
    if (range.high <= limit && -range.low <= limit) break;
    for (int i = 0; i < row.num_outliers; ++i) values[row.outlier_k[i]] = row.outlier_value[i];  // they compete again
    const int before = row.num_outliers;
    row.num_outliers = 0;
    for (int64_t i = 0; i < k; i += kWidth) {
      if (!any(less(splat(limit), abs(load(values + i))))) continue;
      for (int64_t lane = i; lane < i + kWidth; ++lane) {
        if (__builtin_fabsf(values[lane]) > limit) keep_outlier(row, (int32_t)lane, values[lane]);
      }
    }
    for (int i = 0; i < row.num_outliers; ++i) values[row.outlier_k[i]] = 0.0f;
    range = row_range(values, k);
    if (row.num_outliers == before) break;
  }
  return range;
}

void pack_rows_int8(const float* rows, int64_t stride, int n, int64_t k, const float* smooth, float* scratch,
                    void* packed, QuantizedRow* infos) {
  constexpr int64_t kBlockValues = 4 * kGroupsPerBlock;
  const int64_t padded = (k + kBlockValues - 1) / kBlockValues * kBlockValues;
  for (int r = 0; r < n; ++r) {
    const float* from = rows + r * stride;
    int64_t i = 0;
    for (; i + kWidth <= k; i += kWidth) store(scratch + i, load(from + i) * load(smooth + i));
    for (; i < k; ++i) scratch[i] = from[i] * smooth[i];
    for (; i < padded; ++i) scratch[i] = 0.0f;
    QuantizedRow& info = infos[r];
    const RowRange range = split_outliers(scratch, padded, info);
    const float width = range.high - range.low;
    info.scale = width > 0.0f ? width / 255.0f : 1.0f;
    const float inverse = 1.0f / info.scale;
    const float zero_point = (float)(int)(-range.low * inverse + 0.5f);
    info.zero = (int32_t)zero_point;
    uint8_t* to = (uint8_t*)packed + r * kBlockValues;
    const int64_t block_bytes = n * kBlockValues;
    for (int64_t block = 0; block < padded; block += kBlockValues, to += block_bytes) {
      for (int64_t v = 0; v < kBlockValues; v += kWidth) {
        const Vec q = round_nearest(fma(load(scratch + block + v), splat(inverse), splat(zero_point)));
        store_bytes(to + v, min(splat(255.0f), max(zero(), q)));
      }
    }
  }
}

/// Column k of the panel's weights as floats, kWidth of its columns from `first` on: bytes of the words of k's group.
inline Vec weight_column(const int8_t* panel, int64_t k, int first) {
  const IntVec words = load_int((const int32_t*)(panel + (k / 4 * kPanelWidth + first) * 4));
  return int_to_float(byte_of_words(words, (int)(k % 4)));
}

void restore_tile(float* product, int rows, int64_t stride, const QuantizedRow* infos, const void* panel,
                  const float* column_scale, const int32_t* column_sum) {
  for (int c = 0; c < kPanelWidth; c += kWidth) {
    const Vec scales = load(column_scale + c);
    const IntVec sums = load_int(column_sum + c);
    for (int r = 0; r < rows; ++r) {
      const QuantizedRow& info = infos[r];
      float* at = product + r * stride + c;
      const IntVec exact = sub_int(load_int((const int32_t*)at), mul_int(splat_int(info.zero), sums));
      Vec value = int_to_float(exact) * splat(info.scale);
      for (int i = 0; i < info.num_outliers; ++i) {
        value = fma(splat(info.outlier_value[i]), weight_column((const int8_t*)panel, info.outlier_k[i], c), value);
      }
      store(at, value * scales);
    }
  }
}

}  // namespace
}  // namespace deberta
