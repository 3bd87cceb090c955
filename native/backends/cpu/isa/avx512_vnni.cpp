// int8 products with AVX-512 VNNI.
#include "backends/cpu/isa/microkernels.h"
#include "backends/cpu/isa/words_avx512.h"

namespace deberta {
namespace {

constexpr int kTileRows = 14;

struct Int8Dot {
  typedef __m512i Sum;
  static constexpr int kGroup = 4;
  static Sum zero() { return _mm512_setzero_si512(); }
  static void accumulate(Sum& sum, IntVec a, IntVec b) { __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b)); }
  static Sum load(const float* from) { return float_to_bits(deberta::load(from)); }
  static void store(float* to, Sum sum) { deberta::store(to, bits_to_float(sum)); }
};

}  // namespace
}  // namespace deberta

#include "backends/cpu/isa/dot_gemm.inl.h"
#include "backends/cpu/isa/math.inl.h"
//
#include "backends/cpu/isa/epilogue.inl.h"
//
#include "backends/cpu/isa/quantize.inl.h"

namespace deberta {

constinit const Int8Microkernels kAvx512VnniMicrokernels = {dot_gemm_kernels<Int8Dot>(), pack_rows_int8,
                                                            finish_tile_int8};

}  // namespace deberta
