// The instruction sets of an x86-64 build.
#include "backends/cpu/isa_list.h"
#include "base/cpu_features.h"

namespace deberta {

const std::vector<InstructionSet>& instruction_sets() {
  static const std::vector<InstructionSet> all = [] {
    const CpuFeatures& cpu = cpu_features();
    return std::vector<InstructionSet>{
        {kAvx512Microkernels, cpu.avx512},
        {kAvx2Microkernels, cpu.avx2},
        {kScalarMicrokernels, true},
    };
  }();
  return all;
}

}  // namespace deberta
