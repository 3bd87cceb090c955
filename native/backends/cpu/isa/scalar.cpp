// The kernels for any CPU: whatever the compiler's baseline has, 128-bit vectors on x86-64 and ARM.
#include "backends/cpu/isa/vec_scalar.h"

namespace deberta {
namespace {
constexpr int kTileRows = 6;
}
}  // namespace deberta

#include "backends/cpu/isa/kernels.inl.h"

namespace deberta {

constinit const Microkernels kScalarMicrokernels = make_microkernels("scalar");

}  // namespace deberta
