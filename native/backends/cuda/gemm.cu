// Which product kernel runs, and the ops that are products: linear, conv1d, tied_logits.
#include "backends/cuda/gemm.h"
#include "backends/cuda/gemm_args.h"
#include "backends/cuda/gemm_mma.cuh"
#include "backends/cuda/gemm_simt.cuh"
#include "backends/cuda/launch.h"
#include "backends/cuda/rows.h"
#include "backends/cuda/types.h"

namespace deberta::cuda {

namespace {

using LargeTile = MmaTile<128, 128, 2, 4>;
using MediumTile = MmaTile<64, 64, 2, 2>;
using SmallTile = MmaTile<32, 32, 2, 2>;

template <class Tile>
int64_t tiles(const Gemm& problem) {
  return blocks_for(problem.a.rows, Tile::kBlockM) * int64_t{blocks_for(problem.n, Tile::kBlockN)};
}

template <class Tile, bool kAligned, bool kAnyActivation, class T, class Out>
void launch_mma(Context& context, const Gemm& problem) {
  const dim3 grid{blocks_for(problem.a.rows, Tile::kBlockM), blocks_for(problem.n, Tile::kBlockN)};
  launch(context, problem.op, gemm_mma_kernel<Tile, kAligned, kAnyActivation, T, Out>,
         {grid, dim3{Tile::kThreads}, Tile::kSharedBytes}, gemm_args<T, Out>(problem));
}

/// The largest tile that still gives most multiprocessors something to do.
template <class T, class Out>
void gemm_mma(Context& context, const Gemm& problem) {
  const bool aligned = vector_aligned(problem.a.data, problem.a.stride, problem.a.cols);
  const bool common = problem.activation == Activation::kNone || problem.activation == Activation::kGelu;
  const int64_t enough = context.device.multiprocessors * int64_t{3} / 4;
  if (!aligned || !common) return launch_mma<SmallTile, false, true, T, Out>(context, problem);
  if (tiles<LargeTile>(problem) >= enough) return launch_mma<LargeTile, true, false, T, Out>(context, problem);
  if (tiles<MediumTile>(problem) >= enough) return launch_mma<MediumTile, true, false, T, Out>(context, problem);
  launch_mma<SmallTile, true, false, T, Out>(context, problem);
}

void gemm_simt(Context& context, const Gemm& problem) {
  const dim3 grid{blocks_for(problem.a.rows, kSimtTile), blocks_for(problem.n, kSimtTile)};
  launch(context, problem.op, gemm_simt_kernel, {grid, dim3{kSimtThreads}, kSimtSharedBytes},
         gemm_args<float, float>(problem));
}

Gemm problem_of(const char* op, const ConstMatrix& input, const Linear& linear, int part_begin, int part_end,
                size_t element_bytes) {
  const int64_t first = linear.part_offsets[part_begin];
  Gemm problem;
  problem.op = op;
  problem.a = input;
  problem.weight = static_cast<const unsigned char*>(linear.weight) + first * linear.pitch * element_bytes;
  problem.pitch = linear.pitch;
  problem.n = linear.part_offsets[part_end] - first;
  problem.bias = linear.bias ? linear.bias + first : nullptr;
  return problem;
}

}  // namespace

void gemm(Context& context, const Gemm& problem) {
  if (problem.a.rows == 0 || problem.n == 0) return;
  if (context.dtype == DType::kFloat32) return gemm_simt(context, problem);
  if (context.device.warpgroups() && gemm_warpgroup(context, problem)) return;
  with_type(context.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    if constexpr (sizeof(T) == 2) {
      if (problem.float_output) {
        gemm_mma<T, float>(context, problem);
      } else {
        gemm_mma<T, T>(context, problem);
      }
    }
  });
}

void linear(OpContext* context, const LinearArgs& args) noexcept {
  Context& self = own(context);
  Gemm problem =
      problem_of("linear", args.input, own(args.weight), args.part_begin, args.part_end, dtype_size(self.dtype));
  problem.activation = args.activation;
  problem.residual = args.residual;
  problem.output = args.output.data;
  problem.output_stride = args.output.stride;
  gemm(self, problem);
}

void tied_logits(OpContext* context, const TiedLogitsArgs& args) noexcept {
  const Table& table = own(args.table);
  Gemm problem;
  problem.op = "tied_logits";
  problem.a = args.input;
  problem.weight = table.data;
  problem.pitch = table.pitch;
  problem.n = table.rows;
  problem.bias = args.bias;
  problem.output = args.output;
  problem.output_stride = table.rows;
  problem.float_output = true;
  gemm(own(context), problem);
}

void conv1d(OpContext* context, const ConvArgs& args) noexcept {
  Context& self = own(context);
  const Conv& conv = own(args.weight);
  const size_t element_bytes = dtype_size(self.dtype);
  void* columns = self.neighbours.data();
  if (self.neighbours.bytes() < Conv::kChunkTokens * conv.groups[0].pitch * element_bytes) {
    return self.fail(ErrorCode::kINTERNAL, "conv1d: reserve() came before the convolution was packed");
  }
  const auto group_channels = static_cast<int64_t>(conv.channels / conv.groups.size());
  for (int64_t first = 0; first < args.input.rows; first += Conv::kChunkTokens) {
    const int64_t tokens = std::min(Conv::kChunkTokens, args.input.rows - first);
    for (size_t g = 0; g < conv.groups.size(); ++g) {
      const Linear& group = conv.groups[g];
      const auto channel = static_cast<int64_t>(g) * group_channels;
      neighbours(self, args.input.data, args.cu_seqlens, columns, group.pitch,
                 {args.input.stride, first, tokens, static_cast<int32_t>(channel), static_cast<int32_t>(group_channels),
                  conv.kernel_size, static_cast<int32_t>(args.num_sequences)});
      Gemm problem =
          problem_of("conv1d", {columns, tokens, group.in_features, group.pitch}, group, 0, 1, element_bytes);
      problem.activation = args.activation;
      problem.output = static_cast<unsigned char*>(args.output.data) +
                       (first * args.output.stride + channel) * static_cast<int64_t>(element_bytes);
      problem.output_stride = args.output.stride;
      gemm(self, problem);
    }
  }
}

}  // namespace deberta::cuda
