// Work on rows, against `Vec` and epilogue.inl.h: products that are floats, residual + LayerNorm, widening and adding
// table rows.

namespace deberta {
namespace {

void finish_tile(const Epilogue& e) { finish_from(e, FloatProduct{e.product}); }

// Two passes over the row in cache: the mean first, then the variance of what is left, so nothing cancels.
void add_layer_norm_row(const float* input, const float* residual, const float* weight, const float* bias, float eps,
                        int64_t features, float* output) {
  Vec sums[4] = {zero(), zero(), zero(), zero()};
  int turn = 0;
  for_vectors(features, [&](int64_t c, int lanes) {
    Vec v = load_first(input + c, lanes);
    if (residual != nullptr) v = v + load_first(residual + c, lanes);
    store_first(output + c, v, lanes);
    sums[turn & 3] = sums[turn & 3] + v;
    ++turn;
  });
  const float mean = reduce_add((sums[0] + sums[1]) + (sums[2] + sums[3])) / (float)features;
  Vec squares[4] = {zero(), zero(), zero(), zero()};
  turn = 0;
  for_vectors(features, [&](int64_t c, int lanes) {
    const Vec d = keep_first(load_first(output + c, lanes) - splat(mean), lanes);
    squares[turn & 3] = fma(d, d, squares[turn & 3]);
    ++turn;
  });
  const float variance = reduce_add((squares[0] + squares[1]) + (squares[2] + squares[3])) / (float)features;
  const Vec scale = splat(1.0f / __builtin_sqrtf(variance + eps));
  for_vectors(features, [&](int64_t c, int lanes) {
    const Vec d = load_first(output + c, lanes) - splat(mean);
    store_first(output + c, fma(d * scale, load_first(weight + c, lanes), load_first(bias + c, lanes)), lanes);
  });
}

template <class Load>
inline void widen(const uint16_t* from, int64_t count, float* to, Load load16) {
  for_vectors(count, [&](int64_t i, int lanes) {
    if (lanes == kWidth) {
      store(to + i, load16(from + i));
    } else {
      uint16_t edge[kWidth] = {};
      memcpy(edge, from + i, (size_t)lanes * sizeof(uint16_t));
      store_partial(to + i, load16(edge), lanes);
    }
  });
}

void widen_f16(const uint16_t* from, int64_t count, float* to) {
  widen(from, count, to, [](const uint16_t* p) { return load_f16(p); });
}
void widen_bf16(const uint16_t* from, int64_t count, float* to) {
  widen(from, count, to, [](const uint16_t* p) { return load_bf16(p); });
}

void add_rows(const float* from, int64_t count, float* to) {
  for_vectors(count, [&](int64_t i, int lanes) {
    store_first(to + i, load_first(to + i, lanes) + load_first(from + i, lanes), lanes);
  });
}

void exp_array(const float* from, int64_t count, float* to) {
  for_vectors(count, [&](int64_t i, int lanes) { store_first(to + i, exp(load_first(from + i, lanes)), lanes); });
}
void activate_array(Activation activation, const float* from, int64_t count, float* to) {
  for_vectors(count, [&](int64_t i, int lanes) {
    store_first(to + i, activate(activation, load_first(from + i, lanes)), lanes);
  });
}

void gelu_rough_array(const float* from, int64_t count, float* to) {
  for_vectors(count,
              [&](int64_t i, int lanes) { store_first(to + i, gelu_rough(load_first(from + i, lanes)), lanes); });
}

}  // namespace
}  // namespace deberta
