// bfloat16 products with AVX-512 BF16: pairs along k, float32 sums.
#include "backends/cpu/isa/microkernels.h"
#include "backends/cpu/isa/vec_avx512.h"

namespace deberta {
namespace {

constexpr int kTileRows = 14;

struct Bf16Dot {
  typedef __m512 Sum;
  static constexpr int kGroup = 2;
  static Sum zero() { return _mm512_setzero_ps(); }
  static void accumulate(Sum& sum, IntVec a, IntVec b) { __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }
  static Sum load(const float* from) { return deberta::load(from); }
  static void store(float* to, Sum sum) { deberta::store(to, sum); }
};

/// 32 values of a row to 16 words, rounded to nearest even.
inline __m512i to_bf16_words(Vec first, Vec second) { return (__m512i)_mm512_cvtne2ps_pbh(second, first); }

void pack_rows_bf16(const float* rows, int64_t stride, int n, int tile_rows, int64_t k, void* packed) {
  constexpr int64_t kBlockValues = 2 * kGroupsPerBlock;
  uint16_t* to = (uint16_t*)packed;
  const int64_t other_rows = (tile_rows - n) * kBlockValues;
  for (int64_t block = 0; block < k; block += kBlockValues, to += other_rows) {
    const int64_t left = k - block;
    for (int r = 0; r < n; ++r, to += kBlockValues) {
      const float* from = rows + r * stride + block;
      const int first = left < kWidth ? (int)left : kWidth;
      const int second = left >= kBlockValues ? kWidth : left <= kWidth ? 0 : (int)left - kWidth;
      _mm512_storeu_si512(to, to_bf16_words(load_partial(from, first), load_partial(from + kWidth, second)));
    }
  }
}

}  // namespace
}  // namespace deberta

#include "backends/cpu/isa/dot_gemm.inl.h"

namespace deberta {

constinit const Bf16Microkernels kAvx512Bf16Microkernels = {dot_gemm_kernels<Bf16Dot>(), pack_rows_bf16};

}  // namespace deberta
