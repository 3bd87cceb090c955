// Elementary functions and activations against `Vec`. Every polynomial was fitted here by weighted minimax (Lawson's
// iteration on Chebyshev points); the errors are measured over dense grids and asserted by vecmath_test.cpp.

namespace deberta {
namespace {

constexpr float kExpMax = 88.3f;   // 2^n stays finite
constexpr float kExpMin = -87.3f;  // and normal

// e^x for x clamped to [kExpMin, kExpMax]; at most 1.6 ulp. NaN stays NaN.
// x = n ln 2 + r with ln 2 in two parts; e^r = 1 + r + r^2 P(r), |r| <= ln 2 / 2.
inline Vec exp(Vec x) {
  x = min(splat(kExpMax), max(splat(kExpMin), x));
  const Vec n = round_nearest(x * splat(0x1.715476p+0f));
  Vec r = fnma(n, splat(0x1.62e400p-1f), x);
  r = fnma(n, splat(0x1.7f7d1cp-20f), r);
  Vec p = splat(0x1.6a2436p-10f);
  p = fma(p, r, splat(0x1.1239e0p-7f));
  p = fma(p, r, splat(0x1.5558f2p-5f));
  p = fma(p, r, splat(0x1.555492p-3f));
  p = fma(p, r, splat(0x1.fffffcp-2f));
  return scale_by_exp2(fma(r * r, p, r) + splat(1.0f), n);
}

// The normal distribution's upper tail Q(a) = erfc(a / sqrt 2) / 2 for a in [0, 6], as exp(B(a)) with ln Q fitted where
// a Q(a) needs it: a Q(a) is off by at most 8e-8.
inline Vec normal_tail(Vec a) {
  Vec b = splat(0x1.7c85480p-23f);
  b = fma(b, a, splat(-0x1.07700e0p-18f));
  b = fma(b, a, splat(0x1.2658be0p-15f));
  b = fma(b, a, splat(-0x1.26b8fc0p-13f));
  b = fma(b, a, splat(-0x1.a47f3a0p-14f));
  b = fma(b, a, splat(0x1.434e0c0p-8f));
  b = fma(b, a, splat(-0x1.2a74b80p-5f));
  b = fma(b, a, splat(-0x1.45ea0e0p-2f));
  b = fma(b, a, splat(-0x1.9885140p-1f));
  b = fma(b, a, splat(-0x1.62e4260p-1f));
  return exp(b);
}

// At most 8e-8 off for x < 0 and 2 ulp for x > 0.5.
// x Phi(x) = max(x, 0) - |x| Q(|x|). Below -6 the product is held at its value there, 6e-9.
inline Vec gelu(Vec x) {
  const Vec a = min(splat(6.0f), abs(x));
  return fnma(a, normal_tail(a), max(zero(), x));
}

// At most 6e-5 off, for half the work: where the product that follows rounds its operands to 16 or 8 bits. The logits'
// error of the bundled models stays the same to two digits. Phi(x) = 1/2 + x P(x^2), fitted so that it ends in 0 and 1
// at +-4.5.
inline Vec gelu_rough(Vec x) {
  const Vec low = max(splat(-4.5f), x), a = min(splat(4.5f), low), square = a * a;
  Vec p = splat(0x1.07e234p-35f);
  p = fma(p, square, splat(-0x1.c35678p-29f));
  p = fma(p, square, splat(0x1.535b9ap-23f));
  p = fma(p, square, splat(-0x1.2967cap-18f));
  p = fma(p, square, splat(0x1.549e48p-14f));
  p = fma(p, square, splat(-0x1.0fa5cap-10f));
  p = fma(p, square, splat(0x1.39f05ap-7f));
  p = fma(p, square, splat(-0x1.0e3e2ep-4f));
  p = fma(p, square, splat(0x1.984710p-2f));
  return low * fma(a, p, splat(0.5f));
}

// tanh x = 1 - 2 / (e^2x + 1), and below 0.625, where that cancels, x + x^3 P(x^2). At most 3 ulp.
inline Vec tanh(Vec x) {
  const Vec a = abs(x), square = x * x;
  Vec p = splat(-0x1.76abf6p-8f);
  p = fma(p, square, splat(0x1.5256cep-6f));
  p = fma(p, square, splat(-0x1.b84448p-5f));
  p = fma(p, square, splat(0x1.110768p-3f));
  p = fma(p, square, splat(-0x1.555534p-2f));
  const Vec small = fma(p * square, x, x);
  const Vec large = splat(1.0f) - splat(2.0f) / (exp(a + a) + splat(1.0f));
  return select(less(a, splat(0.625f)), small, copysign(large, x));
}

inline Vec sigmoid(Vec x) { return splat(1.0f) / (splat(1.0f) + exp(zero() - x)); }

inline Vec gelu_tanh(Vec x) {
  const Vec inner = splat(0.797884561f) * fma(splat(0.044715f) * x * x, x, x);
  // 0.5 (1 + tanh u) = sigmoid(2 u): no cancellation for negative x.
  return x * sigmoid(inner + inner);
}

// x tanh(ln(1 + e^x)) = x m / (m + 2) with m = e^x (e^x + 2); beyond 20 the fraction is 1 in float32.
inline Vec mish(Vec x) {
  const Vec e = exp(min(splat(20.0f), x));
  const Vec m = e * (e + splat(2.0f));
  return x * (m / (m + splat(2.0f)));
}

// Phi(u) for u = (x - 0.707107) / 0.282095, transformers' rounded constants.
inline Vec laplace(Vec x) {
  const Vec u = (x - splat(0.707107f)) * splat(1.0f / 0.282095f);
  const Vec tail = normal_tail(min(splat(6.0f), abs(u)));
  return select(less(u, zero()), tail, splat(1.0f) - tail);
}

inline Vec leaky_relu(Vec x) { return select(less(x, zero()), x * splat(0.01f), x); }

inline Vec clamp(Vec x, float low, float high) { return min(splat(high), max(splat(low), x)); }

inline Vec activate(Activation activation, Vec x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kGelu:
      return gelu(x);
    case Activation::kGeluTanh:
      return gelu_tanh(x);
    case Activation::kGeluClipped:
      return clamp(gelu(x), -10.0f, 10.0f);
    case Activation::kQuickGelu:
      return x * sigmoid(splat(1.702f) * x);
    case Activation::kRelu:
      return max(zero(), x);
    case Activation::kRelu2:
      return max(zero(), x) * max(zero(), x);
    case Activation::kRelu6:
      return clamp(x, 0.0f, 6.0f);
    case Activation::kLeakyRelu:
      return leaky_relu(x);
    case Activation::kSilu:
      return x * sigmoid(x);
    case Activation::kMish:
      return mish(x);
    case Activation::kSigmoid:
      return sigmoid(x);
    case Activation::kTanh:
      return tanh(x);
    case Activation::kLaplace:
      return laplace(x);
  }
  return x;
}

}  // namespace
}  // namespace deberta
