// The yardstick of the op suite: every op as the plainest float32 loop. A backend may be off from the
// double-accumulating reference by about as much as these loops are (tolerance.h).
#pragma once

#include "ops/ops.h"

namespace deberta::test {

/// Contexts, memory and weights of the reference backend; ops of its own.
const Backend& plain_backend();

}  // namespace deberta::test
