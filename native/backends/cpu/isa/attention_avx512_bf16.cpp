// The products of attention in bfloat16 with AVX-512 BF16.
#include "backends/cpu/isa/microkernels.h"
#include "backends/cpu/isa/vec_avx512.h"
//
#include "backends/cpu/isa/attention.inl.h"
#include "backends/cpu/isa/attention_bf16.inl.h"

namespace deberta {

constinit const AttentionProducts kAvx512Bf16AttentionMicrokernels = attention_products<Bfloat16Words>();

}  // namespace deberta
