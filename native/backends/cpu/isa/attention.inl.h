// Attention kernels against `Vec`, one instance per instruction set; the table they go into, and the layouts, are
// described in attention_microkernels.h.
#pragma once

#include "backends/cpu/isa/attention_multiply.inl.h"
#include "backends/cpu/isa/attention_pack.inl.h"
#include "backends/cpu/isa/attention_scores.inl.h"
#include "backends/cpu/isa/attention_softmax.inl.h"

namespace deberta {
namespace {

template <class Words>
constexpr AttentionProducts attention_products() {
  AttentionProducts products;
  products.group = Words::kGroup;
  products.p2c_rows = kWidth == 16 ? 16 : 8;
  products.pack_rows = attention_pack_rows<Words>;
  products.pack_queries = attention_pack_queries<Words>;
  products.pack_values = attention_pack_values<Words>;
  products.multiply_rows = attention_multiply_rows<Words>;
  products.exponentiate = attention_exponentiate<Words>;
  products.weigh_values = attention_weigh_values<Words>;
  return products;
}

constexpr AttentionMicrokernels attention_kernels() {
  AttentionMicrokernels kernels;
  kernels.width = kWidth;
  kernels.query_strip = kStripVectors * kWidth;
  kernels.float32 = attention_products<Float32Words>();
  kernels.add_positions = attention_add_positions;
  kernels.update_softmax = attention_update_softmax;
  kernels.normalize = attention_normalize;
  return kernels;
}

constexpr AttentionMicrokernels kAttentionKernels = attention_kernels();

}  // namespace
}  // namespace deberta
