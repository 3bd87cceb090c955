// The instruction sets of a build for any other architecture.
#include "backends/cpu/isa_list.h"

namespace deberta {

const std::vector<InstructionSet>& instruction_sets() {
  static const std::vector<InstructionSet> all = {{kScalarMicrokernels, true}};
  return all;
}

}  // namespace deberta
