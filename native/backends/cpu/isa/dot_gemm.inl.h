// The inner loop of gemm.inl.h for products of 16- and 8-bit values: a word of a row holds a group of 2 or 4 values
// along k, and one instruction multiplies it with the group of each column and adds to 32-bit sums. `Dot` names the
// instruction.

namespace deberta {
namespace {

constexpr int kPanelWidth = 2 * kWidth;
constexpr int kNearBytes = 4096;  // of the panel, brought to L1 ahead of use, as in gemm.inl.h

/// The sums leave as their 32 bits: floats (bfloat16) or integers (int8), see MultiplyTile.
template <class Dot, int kRows>
void multiply_dot_tile(int64_t groups, const void* rows, const void* panel, float* product, int64_t stride, bool resume,
                       Ahead ahead) {
  const int32_t* a = (const int32_t*)rows;
  const int32_t* b = (const int32_t*)panel;
  const char* fetch = (const char*)ahead.begin;
  const int64_t fetch_step = (ahead.step + kGroupsPerFetch - 1) / kGroupsPerFetch;
  typename Dot::Sum sum[kRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    sum[r][0] = resume ? Dot::load(product + r * stride) : Dot::zero();
    sum[r][1] = resume ? Dot::load(product + r * stride + kWidth) : Dot::zero();
  }
  for (int64_t block = 0; block < groups; block += kGroupsPerBlock, a += kGroupsPerBlock * kRows) {
#pragma GCC unroll 4
    for (int k = 0; k < kGroupsPerBlock; ++k, b += kPanelWidth) {
      const IntVec b0 = load_int(b), b1 = load_int(b + kWidth);
      __builtin_prefetch((const char*)b + kNearBytes);
      if constexpr (kPanelWidth > 16) __builtin_prefetch((const char*)b + kNearBytes + 64);
      __builtin_prefetch(fetch, 0, 2);  // without a branch: GCC 12 would keep half of the sums in memory
      fetch += fetch_step;
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const IntVec x = splat_int(a[r * kGroupsPerBlock + k]);
        Dot::accumulate(sum[r][0], x, b0);
        Dot::accumulate(sum[r][1], x, b1);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    Dot::store(product + r * stride, sum[r][0]);
    Dot::store(product + r * stride + kWidth, sum[r][1]);
  }
}

template <class Dot, int kRows>
constexpr void fill_dot_tiles(GemmKernels& kernels) {
  if constexpr (kRows > 0) {
    kernels.multiply[kRows] = multiply_dot_tile<Dot, kRows>;
    fill_dot_tiles<Dot, kRows - 1>(kernels);
  }
}

template <class Dot>
constexpr GemmKernels dot_gemm_kernels() {
  GemmKernels kernels;
  kernels.tile_rows = kTileRows;
  kernels.panel_width = kPanelWidth;
  kernels.group = Dot::kGroup;
  fill_dot_tiles<Dot, kTileRows>(kernels);
  return kernels;
}

}  // namespace
}  // namespace deberta
