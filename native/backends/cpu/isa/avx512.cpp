// The kernels for AVX-512 F/BW/VL/DQ: 32 registers, 14 x 32 tiles.
#include "backends/cpu/isa/vec_avx512.h"

namespace deberta {
namespace {
constexpr int kTileRows = 14;
}
}  // namespace deberta

#include "backends/cpu/isa/kernels.inl.h"

namespace deberta {

constinit const Microkernels kAvx512Microkernels = make_microkernels("avx512");

}  // namespace deberta
