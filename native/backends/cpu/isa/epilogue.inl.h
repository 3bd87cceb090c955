// What happens to a product on its way out, against `Vec`: activation(product + bias) + residual. The product comes
// from a `Source`: begin_row(r), then load(c) for a vector of its columns.

namespace deberta {
namespace {

/// f(column, lanes) over [0, count): whole vectors, then what is left.
template <class F>
inline void for_vectors(int64_t count, F f) {
  int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) f(i, kWidth);
  if (i < count) f(i, (int)(count - i));
}

inline Vec load_first(const float* p, int lanes) { return lanes == kWidth ? load(p) : load_partial(p, lanes); }
inline void store_first(float* p, Vec v, int lanes) {
  if (lanes == kWidth) {
    store(p, v);
  } else {
    store_partial(p, v, lanes);
  }
}

/// Products that are floats.
struct FloatProduct {
  const float* product;  // [rows, kMaxPanelWidth]
  const float* row = nullptr;

  void begin_row(int r) { row = product + r * kMaxPanelWidth; }
  Vec load(int64_t c) const { return deberta::load(row + c); }  // whole vectors even at the edge, as panels are
};

// Output rows are far apart, where no hardware prefetcher follows, and a store that misses holds up those behind it:
// a fifth of the time of 32x128 in int8.
constexpr int kRowsAhead = 8;

/// Brings `count` floats to the cache to be overwritten; harmless on memory that is not there.
inline void claim(const float* to, int64_t count) {
  constexpr int64_t kLineFloats = 16;
  for (int64_t i = 0; i < count; i += kLineFloats) __builtin_prefetch(to + i, 1, 3);
}

/// Fetches the share of one row of what comes next.
inline void fetch_share(const Ahead& ahead, int row) {
  const char* begin = (const char*)ahead.begin + row * ahead.step;
  for (int64_t i = 0; i < ahead.step; i += 64) __builtin_prefetch(begin + i, 0, 2);
}

template <class Source, class Act>
inline void finish_rows(const Epilogue& e, Source source, Act act) {
  for (int r = 0; r < e.rows; ++r) {
    source.begin_row(r);
    const float* residual = e.residual == nullptr ? nullptr : e.residual + r * e.residual_stride;
    float* output = e.output + r * e.output_stride;
    fetch_share(e.ahead, r);
    claim(output + kRowsAhead * e.output_stride, e.cols);
    for_vectors(e.cols, [&](int64_t c, int lanes) {
      Vec v = source.load(c);
      if (e.bias != nullptr) v = v + load_first(e.bias + c, lanes);
      v = act(v);
      if (residual != nullptr) v = v + load_first(residual + c, lanes);
      store_first(output + c, v, lanes);
    });
  }
}

template <class Source>
inline void finish_from(const Epilogue& e, const Source& source) {
  if (e.activation == Activation::kNone) {
    finish_rows(e, source, [](Vec v) { return v; });
  } else if (e.activation == Activation::kGelu && e.rough) {
    finish_rows(e, source, [](Vec v) { return gelu_rough(v); });
  } else if (e.activation == Activation::kGelu) {
    finish_rows(e, source, [](Vec v) { return gelu(v); });
  } else {
    finish_rows(e, source, [&](Vec v) { return activate(e.activation, v); });
  }
}

}  // namespace
}  // namespace deberta
