// The attention section of the table in microkernels.h: what attention.cpp needs from an instruction set.
// Filled by isa/attention.inl.h, which every ISA file includes. C headers only.
#pragma once

#include <stdint.h>

namespace deberta {

struct AttentionMicrokernels {
  int query_strip = 0;  // queries that one strip of attention.cpp covers
};

}  // namespace deberta
