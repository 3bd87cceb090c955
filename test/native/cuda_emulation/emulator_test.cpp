// The emulator itself: kernels with one deliberate fault each, which it has to report, and their sound twins.
#include <cmath>

#include "backends/cuda/warpgroup.cuh"
#include "block.h"
#include "doctest/doctest.h"

namespace deberta::emulation {

namespace {

using namespace deberta::cuda;

std::string run(int threads, size_t shared_bytes, const std::function<void()>& kernel) {
  return run_grid("kernel", {2, 1, 1}, {static_cast<unsigned>(threads), 1, 1}, shared_bytes, kernel);
}

void expect(const std::string& report, const std::string& part) {
  CAPTURE(report);
  CHECK(report.find(part) != std::string::npos);
}

int thread() { return static_cast<int>(threadIdx.x); }

}  // namespace

TEST_CASE("a barrier orders what two warps do to shared memory; without it there is a race") {
  const auto kernel = [](bool barrier) {
    store_shared<uint32_t>(thread() * 4, thread());
    if (barrier) __syncthreads();
    CHECK(load_shared<uint32_t>((thread() + 32) % 64 * 4) == static_cast<uint32_t>((thread() + 32) % 64));
  };
  CHECK(run(64, 256, [&] { kernel(true); }).empty());
  expect(run(64, 256, [&] { kernel(false); }), "read of uninitialised");
  expect(run(64, 256,
             [] {
               if (thread() < 32) store_shared<uint32_t>(thread() * 4, 1);
               __shfl_xor_sync(~0u, 0, 1);
               if (thread() >= 32) load_shared<uint32_t>((thread() - 32) * 4);
             }),
         "race: read");
}

TEST_CASE("lanes of one warp need __syncwarp between them") {
  const auto kernel = [](bool sync) {
    store_shared<uint32_t>(thread() * 4, thread());
    __shfl_xor_sync(~0u, 0, 1);  // brings the lanes together but orders no memory
    if (sync) __syncwarp();
    load_shared<uint32_t>((thread() ^ 1) * 4);
  };
  CHECK(run(32, 128, [&] { kernel(true); }).empty());
  expect(run(32, 128, [&] { kernel(false); }), "race: read");
}

TEST_CASE("overwriting what another thread may still read is a race") {
  expect(run(64, 4,
             [] {
               if (thread() == 0) store_shared<uint32_t>(0, 1);
               __syncthreads();
               if (thread() == 1) load_shared<uint32_t>(0);
               if (thread() == 33) store_shared<uint32_t>(0, 2);
             }),
         "race: write");
}

TEST_CASE("bounds, alignment and uninitialised memory") {
  expect(run(32, 128, [] { store_shared<uint32_t>(128, 0); }), "write out of bounds");
  expect(run(32, 128, [] { load_shared<uint16_t>(2); }), "read of uninitialised");
  expect(run(32, 128, [] { store_shared<uint32_t>(thread() * 4 % 2 + 2, 0); }), "misaligned");
}

TEST_CASE("threads that never meet are a deadlock; divergent collectives are reported") {
  expect(run(64, 0,
             [] {
               if (thread() < 32) __syncthreads();
             }),
         "deadlock");
  expect(run(32, 0,
             [] {
               if (thread() < 16) {
                 __syncwarp();
               } else {
                 __shfl_xor_sync(~0u, 0, 1);
               }
             }),
         "while other lanes");
}

TEST_CASE("cp.async arrives at the wait, not before") {
  alignas(16) static const uint32_t source[4] = {1, 2, 3, 4};
  const auto kernel = [](bool wait) {
    if (thread() == 0) copy_async_16(0, source, true);
    copy_async_commit();
    if (wait) copy_async_wait<0>();
    if (thread() == 0) CHECK(load_shared<uint32_t>(8) == 3);
    copy_async_wait<0>();
  };
  CHECK(run(32, 16, [&] { kernel(true); }).empty());
  expect(run(32, 16, [&] { kernel(false); }), "before the copy was waited for");
  expect(run(32, 16,
             [] {
               copy_async_16(0, source, thread() == 0);
               copy_async_commit();
             }),
         "still in flight");
}

TEST_CASE("tensor copies swizzle, fill with zeros and complete on their barrier") {
  alignas(16) static uint16_t matrix[10 * 64];
  for (int i = 0; i < 640; ++i) matrix[i] = static_cast<uint16_t>(i);
  TensorMap map;
  REQUIRE(make_tensor_map(map, matrix, 10, 64, 64, 8, 64));
  const auto kernel = [&](bool wait) {
    if (thread() == 0) {
      mbarrier_init(1024, 1);
      mbarrier_arrive_expect(1024, 1024);
      tensor_load(0, map, 1024, 0, 8);
    }
    __syncthreads();
    if (wait) mbarrier_wait(1024, 0);
    if (thread() != 1) return;
    CHECK(load_shared<uint16_t>(128 + (1 << 4)) == 9 * 64);  // chunk 0 of row 1 is at chunk 1
    CHECK(load_shared<uint16_t>(2 * 128) == 0);              // beyond the last row
  };
  CHECK(run(32, 1032, [&] { kernel(true); }).empty());
  expect(run(32, 1032, [&] { kernel(false); }), "before the copy was waited for");
}

TEST_CASE("wgmma: reads fenced stores, gives nothing before the wait") {
  constexpr uint16_t kOne = 0x3F80;  // bfloat16
  const auto kernel = [](bool fence, bool wait) {
    for (int i = thread(); i < 64 * 64; i += 128) store_shared<uint16_t>(i * 2, kOne);
    if (fence) fence_async_proxy();
    __syncthreads();
    float sums[32];
    wgmma_fence();
    for (int k = 0; k < 4; ++k) {
      wgmma_ss<BFloat16, 64>(sums, tile_descriptor<128>(k * 32), tile_descriptor<128>(k * 32), k > 0);
    }
    wgmma_commit();
    if (wait) wgmma_wait<0>(sums);
    CHECK(std::isnan(sums[5]) == !wait);
    wgmma_wait<0>(sums);
    CHECK(sums[5] == 64.0f);
  };
  CHECK(run(128, 8192, [&] { kernel(true, true); }).empty());
  CHECK(run(128, 8192, [&] { kernel(true, false); }).empty());
  expect(run(128, 8192, [&] { kernel(false, true); }), "without fence.proxy.async");
}

TEST_CASE("mma.sync multiplies what ldmatrix loads") {
  const std::string report = run(32, 1024, [] {
    for (int i = 0; i < 8; ++i) {  // a [16, 16] row-major: a[r][c] = r, then b [8 n, 16 k]: b[n][k] = n
      const int element = thread() * 8 + i;
      store_shared<uint16_t>(element * 2, from_float<BFloat16>(static_cast<float>(element / 16)).bits);
    }
    for (int i = 0; i < 8; ++i) {
      const int element = thread() * 8 + i;
      store_shared<uint16_t>(512 + element * 2, from_float<BFloat16>(static_cast<float>(element / 16)).bits);
    }
    __syncwarp();
    uint32_t a[4], b[4];
    ldmatrix_x4(a, thread() % 16 * 32 + thread() / 16 * 16);
    ldmatrix_x4(b, 512 + (thread() / 16 * 8 + thread() % 8) * 32 + thread() / 8 % 2 * 16);
    float d[4] = {};
    mma_16816<BFloat16>(d, a, b[0], b[1]);
    for (int i = 0; i < 4; ++i) {
      const int row = thread() / 4 + i / 2 * 8, col = thread() % 4 * 2 + i % 2;
      CHECK(d[i] == 16.0f * row * col);
    }
  });
  CHECK(report.empty());
}

}  // namespace deberta::emulation
