// What this CPU and this operating system can run, and how large the caches of one core are. Asked once, at first use.
#pragma once

#include <cstddef>

namespace deberta {

/// Instruction sets, true where the CPU has them and the operating system saves their registers.
struct CpuFeatures {
  bool avx2 = false;         // with FMA and F16C
  bool avx_vnni = false;     // 256-bit int8 products
  bool avx512 = false;       // F, BW, VL and DQ
  bool avx512_vnni = false;  // 512-bit int8 products
  bool avx512_bf16 = false;  // bfloat16 products
  bool amx = false;          // matrix tiles for bfloat16 and int8, allowed to this process
};

/// Bytes of the data caches that one core can count on; guesses of a small CPU where the machine does not tell.
struct CacheSizes {
  size_t l1 = 32 << 10;
  size_t l2 = 512 << 10;
  size_t l3 = 8 << 20;  // shared
};

const CpuFeatures& cpu_features();
const CacheSizes& cpu_caches();

}  // namespace deberta
