// cpuid and xgetbv on x86-64, sysconf for caches. Elsewhere every feature is false: the scalar kernels run.
#include "base/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <cstdint>

namespace deberta {

namespace {

#if defined(__x86_64__)

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r;
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);  // leaves all zero where the leaf does not exist
  return r;
}

// Which register files the operating system saves: XCR0.
uint64_t saved_state() {
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return static_cast<uint64_t>(high) << 32 | low;
}

// Tile registers are given to processes that ask (Linux 5.16); threads started later inherit the permission.
bool may_use_tiles([[maybe_unused]] uint64_t state) {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return (state & 0x60000) == 0x60000 && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

constexpr bool bit(uint32_t word, int index) { return (word >> index & 1) != 0; }

CpuFeatures detect_features() {
  CpuFeatures features;
  const Registers leaf1 = cpuid(1, 0);
  if (!bit(leaf1.ecx, 27)) return features;  // OSXSAVE: without it xgetbv faults
  const uint64_t state = saved_state();
  const bool saves_ymm = (state & 0x06) == 0x06;
  const bool saves_zmm = (state & 0xe6) == 0xe6;
  const Registers leaf7 = cpuid(7, 0), leaf7_1 = leaf7.eax >= 1 ? cpuid(7, 1) : Registers{};
  features.avx2 = saves_ymm && bit(leaf1.ecx, 28) && bit(leaf1.ecx, 12) && bit(leaf1.ecx, 29) && bit(leaf7.ebx, 5);
  features.avx_vnni = features.avx2 && bit(leaf7_1.eax, 4);
  features.avx512 = features.avx2 && saves_zmm && bit(leaf7.ebx, 16) && bit(leaf7.ebx, 17) && bit(leaf7.ebx, 30) &&
                    bit(leaf7.ebx, 31);
  features.avx512_vnni = features.avx512 && bit(leaf7.ecx, 11);
  features.avx512_bf16 = features.avx512 && bit(leaf7_1.eax, 5);
  const bool has_amx = bit(leaf7.edx, 22) && bit(leaf7.edx, 24) && bit(leaf7.edx, 25);  // bf16, tile, int8
  features.amx = features.avx512 && has_amx && may_use_tiles(state);
  return features;
}

// Deterministic cache parameters: leaf 4 (Intel) or 0x8000001d (AMD), one subleaf per cache. They describe the virtual
// machine; sysconf reads the same leaves on glibc and nothing on musl.
void detect_caches(uint32_t leaf, CacheSizes& caches) {
  for (uint32_t subleaf = 0; subleaf < 8; ++subleaf) {
    const Registers r = cpuid(leaf, subleaf);
    const uint32_t type = r.eax & 31, level = r.eax >> 5 & 7;
    if (type == 0) return;
    if (type == 2) continue;  // instructions
    const size_t ways = (r.ebx >> 22) + 1, partitions = (r.ebx >> 12 & 1023) + 1, line = (r.ebx & 4095) + 1;
    const size_t bytes = ways * partitions * line * (static_cast<size_t>(r.ecx) + 1);
    if (level == 1) caches.l1 = bytes;
    if (level == 2) caches.l2 = bytes;
    if (level == 3) caches.l3 = bytes;
  }
}

CacheSizes detect_cache_sizes() {
  CacheSizes caches;
  const bool amd = cpuid(0, 0).ebx == 0x68747541;  // "Auth"enticAMD
  detect_caches(amd ? 0x8000001d : 4, caches);
  return caches;
}

#else

CpuFeatures detect_features() { return {}; }

CacheSizes detect_cache_sizes() {
  CacheSizes caches;
#if defined(_SC_LEVEL1_DCACHE_SIZE)
  const auto ask = [](int name, size_t& bytes) {
    const long answer = sysconf(name);
    if (answer > 0) bytes = static_cast<size_t>(answer);
  };
  ask(_SC_LEVEL1_DCACHE_SIZE, caches.l1);
  ask(_SC_LEVEL2_CACHE_SIZE, caches.l2);
  ask(_SC_LEVEL3_CACHE_SIZE, caches.l3);
#endif
  return caches;
}

#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect_features();
  return features;
}

const CacheSizes& cpu_caches() {
  static const CacheSizes caches = detect_cache_sizes();
  return caches;
}

}  // namespace deberta
