// Every instruction set that this build has kernels for, and whether this CPU can run it.
#pragma once

#include <vector>

#include "backends/cpu/isa/microkernels.h"

namespace deberta {

struct InstructionSet {
  Microkernels kernels;
  bool supported = false;
};

/// Best first; the last one, "scalar", runs everywhere.
const std::vector<InstructionSet>& instruction_sets();

}  // namespace deberta
