// The op table of this backend.
#pragma once

#include "ops/ops.h"

namespace deberta::cuda {

/// Every entry set. Functions that set up throw deberta::Error as ops.h says. `detail` outlives the table.
Backend make_backend(const char* detail);

}  // namespace deberta::cuda
