// The inner loop of every matrix product: a tile of packed rows times one panel of packed weights, summed in registers
// over the whole of k. Register use with R rows: 2 R sums, 2 panel vectors, 1 broadcast (14 x 32 with 32 registers, 6 x
// 16 with 16).

namespace deberta {
namespace {

// What a panel holds: `Value` as stored, two vectors of it per k.
struct PanelF32 {
  typedef float Value;
  static Vec load(const float* p) { return deberta::load(p); }
};
struct PanelF16 {
  typedef uint16_t Value;
  static Vec load(const uint16_t* p) { return load_f16(p); }
};
struct PanelBf16 {
  typedef uint16_t Value;
  static Vec load(const uint16_t* p) { return load_bf16(p); }
};

constexpr int kPanelWidth = 2 * kWidth;
constexpr int kNearBytes = 4096;  // of the panel itself, brought to L1 ahead of use: worth 20 % where panels lie in L2

template <class Panel, int kRows>
void multiply_tile(int64_t groups, const void* rows, const void* panel, float* product, int64_t stride, bool resume,
                   Ahead ahead) {
  const float* a = (const float*)rows;
  const typename Panel::Value* b = (const typename Panel::Value*)panel;
  constexpr int kStepBytes = kPanelWidth * sizeof(typename Panel::Value);
  const char* fetch = (const char*)ahead.begin;
  Vec sum[kRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    sum[r][0] = resume ? load(product + r * stride) : zero();
    sum[r][1] = resume ? load(product + r * stride + kWidth) : zero();
  }
  for (int64_t block = 0; block < groups; block += kGroupsPerBlock, a += kGroupsPerBlock * (kRows - 1)) {
    const char* rows_ahead = (const char*)(a + 2 * kGroupsPerBlock * kRows);
    for (int part = 0; part < kGroupsPerBlock; part += kGroupsPerFetch, a += kGroupsPerFetch) {
#pragma GCC unroll 4
      for (int k = 0; k < kGroupsPerFetch; ++k, b += kPanelWidth) {
        const Vec b0 = Panel::load(b), b1 = Panel::load(b + kWidth);
        if (64 * k < ahead.step) __builtin_prefetch(fetch + 64 * k, 0, 2);
        if constexpr (kRows > 8) __builtin_prefetch(rows_ahead + 64 * (part + k));
        __builtin_prefetch((const char*)b + kNearBytes);
        if constexpr (kStepBytes > 64) __builtin_prefetch((const char*)b + kNearBytes + 64);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
          const Vec x = splat(a[r * kGroupsPerBlock + k]);
          accumulate(sum[r][0], x, b0);
          accumulate(sum[r][1], x, b1);
        }
      }
      fetch += ahead.step;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    store(product + r * stride, sum[r][0]);
    store(product + r * stride + kWidth, sum[r][1]);
  }
}

template <class Panel, int kRows>
constexpr void fill_tiles(GemmKernels& kernels) {
  if constexpr (kRows > 0) {
    kernels.multiply[kRows] = multiply_tile<Panel, kRows>;
    fill_tiles<Panel, kRows - 1>(kernels);
  }
}

template <class Panel>
constexpr GemmKernels gemm_kernels() {
  GemmKernels kernels;
  kernels.tile_rows = kTileRows;
  kernels.panel_width = kPanelWidth;
  kernels.group = 1;
  fill_tiles<Panel, kTileRows>(kernels);
  return kernels;
}

// One 64-byte line per row and block: a plain copy of lines, no transposition.
void pack_rows_f32(const float* rows, int64_t stride, int n, int tile_rows, int64_t k, void* packed) {
  float* to = (float*)packed;
  const int64_t other_rows = (tile_rows - n) * kGroupsPerBlock;
  for (int64_t block = 0; block < k; block += kGroupsPerBlock, to += other_rows) {
    const int64_t left = k - block < kGroupsPerBlock ? k - block : kGroupsPerBlock;
    for (int r = 0; r < n; ++r, to += kGroupsPerBlock) {
      const float* from = rows + r * stride + block;
      for (int i = 0; i < kGroupsPerBlock; i += kWidth) {
        const int64_t lanes = left - i < 0 ? 0 : left - i < kWidth ? left - i : kWidth;
        store(to + i, lanes == kWidth ? load(from + i) : load_partial(from + i, (int)lanes));
      }
    }
  }
}

void pack_panel_f32(const float* rows, int64_t stride, int n, int64_t k, float* panel) {
  const int64_t padded = (k + kGroupsPerBlock - 1) / kGroupsPerBlock * kGroupsPerBlock;
  for (int64_t begin = 0; begin < padded; begin += kWidth) {
    const int64_t lanes = k - begin < 0 ? 0 : k - begin < kWidth ? k - begin : kWidth;
    for (int half = 0; half < 2; ++half) {
      Vec block[kWidth];
      for (int i = 0; i < kWidth; ++i) {
        const int row = half * kWidth + i;
        const float* from = rows + row * stride + begin;
        block[i] = row >= n ? zero() : lanes == kWidth ? load(from) : load_partial(from, (int)lanes);
      }
      transpose(block);
      for (int i = 0; i < kWidth; ++i) store(panel + (begin + i) * kPanelWidth + half * kWidth, block[i]);
    }
  }
}

}  // namespace
}  // namespace deberta
