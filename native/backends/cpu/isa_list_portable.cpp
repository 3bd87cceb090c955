// The instruction sets of a build for any other architecture.
#include "backends/cpu/isa_list.h"

namespace deberta {

const std::vector<InstructionSet>& instruction_sets() {
  static const auto& all =  // never destroyed: threads may outlive main
      *new const std::vector<InstructionSet>{{kScalarMicrokernels, true}};
  return all;
}

}  // namespace deberta
