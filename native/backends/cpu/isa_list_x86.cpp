// The instruction sets of an x86-64 build. The dot-product extensions add int8 and bfloat16 to a float32 table.
#include "backends/cpu/isa_list.h"
#include "base/cpu_features.h"

namespace deberta {

namespace {

Microkernels extended(const Microkernels& base, const char* name, const Int8Microkernels& int8,
                      const Bf16Microkernels& bf16, const AttentionProducts& bf16_attention) {
  Microkernels kernels = base;
  kernels.name = name;
  kernels.int8 = int8;
  kernels.bf16 = bf16;
  kernels.attention.bfloat16 = bf16_attention;
  return kernels;
}

}  // namespace

const std::vector<InstructionSet>& instruction_sets() {
  static const auto& all = *new const std::vector<InstructionSet>([] {  // never destroyed: threads may outlive main
    const CpuFeatures& cpu = cpu_features();
    Int8Microkernels amx_int8 = kAvx512VnniMicrokernels;
    amx_int8.gemm = kAmxMicrokernels.int8;
    Bf16Microkernels amx_bf16 = kAvx512Bf16Microkernels;
    amx_bf16.gemm = kAmxMicrokernels.bf16;
    return std::vector<InstructionSet>{
        {extended(kAvx512Microkernels, "avx512_amx", amx_int8, amx_bf16, kAmxAttentionMicrokernels),
         cpu.amx && cpu.avx512_vnni && cpu.avx512_bf16},
        {extended(kAvx512Microkernels, "avx512_bf16", kAvx512VnniMicrokernels, kAvx512Bf16Microkernels,
                  kAvx512Bf16AttentionMicrokernels),
         cpu.avx512_vnni && cpu.avx512_bf16},
        {extended(kAvx512Microkernels, "avx512_vnni", kAvx512VnniMicrokernels, {}, {}), cpu.avx512_vnni},
        {kAvx512Microkernels, cpu.avx512},
        {extended(kAvx2Microkernels, "avx2_vnni", kAvx2VnniMicrokernels, {}, {}), cpu.avx_vnni},
        {kAvx2Microkernels, cpu.avx2},
        {kScalarMicrokernels, true},
    };
  }());
  return all;
}

}  // namespace deberta
