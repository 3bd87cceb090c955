// The plain backend: float32 activations, every product and sum in double, no tiling, no threads. The readable
// specification of the op table and the oracle of every other backend.
#pragma once

#include "ops/ops.h"

namespace deberta {

const Backend& reference_backend();

}  // namespace deberta
