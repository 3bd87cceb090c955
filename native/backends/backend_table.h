// The one check of an op table: a backend that lacks an entry is refused before it computes anything.
#pragma once

#include "ops/ops.h"

namespace deberta {

/// Returns `backend`. Throws INTERNAL naming the first entry of its table that is null.
const Backend& require_complete(const Backend& backend);

}  // namespace deberta
