// The fixture models against float64 results of PyTorch and transformers, on any backend. A library with support.h, so
// that the executables of other backends can run it too.
#pragma once

#include <string>

#include "ops/ops.h"

namespace deberta::test {

/// float32's share of a tensor's largest magnitude that is allowed whatever PyTorch's own error is.
constexpr double kFloat32Floor = 4e-6;

/// Every output of fixture `name`, as doctest checks. The bar of each tensor is max(3 x the error of PyTorch's own
/// float32, `floor` of its largest magnitude); padding of the goldens is skipped.
void check_golden(const std::string& name, const Backend& backend, const ContextOptions& context,
                  double floor = kFloat32Floor);

}  // namespace deberta::test
