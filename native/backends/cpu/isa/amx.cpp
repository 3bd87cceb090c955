// bfloat16 and int8 products with Intel AMX: up to 32 rows by 32 columns in four tiles of 16 x 16 sums. A tile register
// takes 16 rows of 64 bytes: 16 rows of one block of packed rows, or 16 groups of 16 columns of a panel, as they lie.
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "backends/cpu/isa/microkernels.h"

namespace deberta {
namespace {

constexpr int kTileSide = 16;
constexpr int kAmxRows = 2 * kTileSide;
constexpr int kPanelWidth = 2 * kTileSide;
constexpr int64_t kPanelStride = kPanelWidth * 4;  // bytes from one group to the next

// Tiles: 0 1 / 2 3 sums (rows above / below, columns left / right), 4 5 packed rows, 6 7 panel.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

TileConfig tile_config(int upper, int lower) {
  TileConfig config;
  const int heights[8] = {upper, upper, lower, lower, upper, lower, kTileSide, kTileSide};
  for (int t = 0; t < 8; ++t) {
    config.rows[t] = (uint8_t)heights[t];
    config.row_bytes[t] = heights[t] == 0 ? 0 : 64;
  }
  return config;
}

struct Bf16Tiles {
  static void multiply_upper() {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
  }
  static void multiply_lower() {
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
};
struct Int8Tiles {
  static void multiply_upper() {
    _tile_dpbusd(0, 4, 6);
    _tile_dpbusd(1, 4, 7);
  }
  static void multiply_lower() {
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
};

template <class Tiles, int kRows>
void multiply_amx(int64_t groups, const void* rows, const void* panel, float* product, int64_t stride, bool resume,
                  Ahead ahead) {
  constexpr int kUpper = kRows < kTileSide ? kRows : kTileSide, kLower = kRows - kUpper;
  const TileConfig config = tile_config(kUpper, kLower);
  _tile_loadconfig(&config);
  float* lower = product + kTileSide * stride;
  if (resume) {
    _tile_loadd(0, product, stride * 4);
    _tile_loadd(1, product + kTileSide, stride * 4);
    if constexpr (kLower > 0) _tile_loadd(2, lower, stride * 4);
    if constexpr (kLower > 0) _tile_loadd(3, lower + kTileSide, stride * 4);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (kLower > 0) _tile_zero(2);
    if constexpr (kLower > 0) _tile_zero(3);
  }
  const char* a = (const char*)rows;
  const char* b = (const char*)panel;
  const char* fetch = (const char*)ahead.begin;
  const int64_t fetch_step = (ahead.step + kGroupsPerFetch - 1) / kGroupsPerFetch;
  for (int64_t block = 0; block < groups; block += kGroupsPerBlock) {
    for (int i = 0; i < kGroupsPerBlock; ++i, fetch += fetch_step) __builtin_prefetch(fetch, 0, 2);
    _tile_loadd(6, b, kPanelStride);
    _tile_loadd(7, b + 64, kPanelStride);
    _tile_loadd(4, a, 64);
    Tiles::multiply_upper();
    if constexpr (kLower > 0) {
      _tile_loadd(5, a + kTileSide * 64, 64);
      Tiles::multiply_lower();
    }
    a += kRows * 64;
    b += kGroupsPerBlock * kPanelStride;
  }
  _tile_stored(0, product, stride * 4);
  _tile_stored(1, product + kTileSide, stride * 4);
  if constexpr (kLower > 0) {
    _tile_stored(2, lower, stride * 4);
    _tile_stored(3, lower + kTileSide, stride * 4);
  }
  _tile_release();
}

template <class Tiles, int kRows>
constexpr void fill_amx(GemmKernels& kernels) {
  if constexpr (kRows > 0) {
    kernels.multiply[kRows] = multiply_amx<Tiles, kRows>;
    fill_amx<Tiles, kRows - 1>(kernels);
  }
}

template <class Tiles>
constexpr GemmKernels amx_kernels(int group) {
  GemmKernels kernels;
  kernels.tile_rows = kAmxRows;
  kernels.panel_width = kPanelWidth;
  kernels.group = group;
  kernels.finish_together = true;  // tile stores do not forward to loads: 10 % slower with int8 when read back at once
  fill_amx<Tiles, kAmxRows>(kernels);
  return kernels;
}

}  // namespace

constinit const AmxMicrokernels kAmxMicrokernels = {amx_kernels<Bf16Tiles>(2), amx_kernels<Int8Tiles>(4)};

}  // namespace deberta
