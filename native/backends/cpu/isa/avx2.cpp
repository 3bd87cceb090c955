// The kernels for AVX2 + FMA + F16C: 16 registers, 6 x 16 tiles.
#include "backends/cpu/isa/vec_avx2.h"

namespace deberta {
namespace {
constexpr int kTileRows = 6;
}
}  // namespace deberta

#include "backends/cpu/isa/kernels.inl.h"

namespace deberta {

constinit const Microkernels kAvx2Microkernels = make_microkernels("avx2");

}  // namespace deberta
