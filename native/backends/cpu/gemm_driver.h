// The loops around the microkernels: which tile meets which panel on which thread, for every matrix product here.
//
// Rows are packed into tiles once, in waves that fit the shared scratch. A wave is cut into row blocks that stay in a
// core's L2 cache while panels stream by; a task is one row block times one run of panels. Threads claim tasks in an
// order in which they work on the same row block, so each panel is read by one of them. A product does not depend on
// any of these cuts.
#pragma once

#include <algorithm>
#include <cstdint>

#include "backends/cpu/context.h"
#include "backends/cpu/pack_weights.h"

namespace deberta {

/// Where products go: output[r][panel column - column_base + ...] = activation(product + bias) + residual.
struct GemmOutput {
  float* data = nullptr;
  int64_t stride = 0;
  const float* residual = nullptr;  // optional
  int64_t residual_stride = 0;
  Activation activation = Activation::kNone;
  bool rough = false;  // see Epilogue
  int64_t column_base = 0;
};

/// Equal cuts: part i of `parts` begins at row cut(i).
struct EvenCuts {
  int64_t total = 0;
  int64_t parts = 1;
  int64_t operator()(int64_t i) const { return total * i / parts; }
};

constexpr int64_t kWordBytes = 4;  // of one k group of a row

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The k groups of one step: 1024 groups of a 32-column panel are 128 KiB, read from L2 by every tile of a row block.
constexpr int64_t kMaxStepGroups = 1024;
// Where few tiles share a panel, or it is widened from 16 bits on the way, a step is 16 KiB: the tiles after the first
// find it in L1, while the next one comes from memory at an even pace.
constexpr int64_t kShortStepGroups = 128;
constexpr int64_t kFewTiles = 3;
// Sums of all tiles of a row block while k is cut into steps, at the head of a worker's scratch.
constexpr int64_t kProductFloats = 32 * 1024;
constexpr size_t kProductBytes = kProductFloats * sizeof(float);

/// How one wave of rows is cut; pure arithmetic, tested apart.
struct GemmPlan {
  EvenCuts tiles;   // of the wave's rows
  EvenCuts blocks;  // of the tiles
  EvenCuts chunks;  // of the panels
  EvenCuts steps;   // of the blocks of k groups
};

/// `row_words`: of one packed row. A row block and the steps of two panels (the present and the next) take 60 % of the
/// L2 cache. There are enough chunks for threads to end together, each of at least 2^20 multiply-adds: claiming one
/// costs nothing beside it.
inline GemmPlan plan_gemm(int64_t rows, int64_t k, int64_t row_words, int64_t num_panels, const GemmKernels& gemm,
                          int threads, const CacheSizes& caches) {
  GemmPlan plan;
  plan.tiles = {rows, ceil_div(rows, gemm.tile_rows)};
  const int64_t step_bytes = std::min(row_words, kMaxStepGroups) * gemm.panel_width * kWordBytes;
  const int64_t for_rows = static_cast<int64_t>(caches.l2) * 6 / 10 - 2 * step_bytes;
  const int64_t tiles_in_scratch = kProductFloats / (int64_t{gemm.tile_rows} * kMaxPanelWidth);
  const int64_t tiles_in_l2 =
      std::clamp<int64_t>(for_rows / (row_words * kWordBytes * gemm.tile_rows), 1, tiles_in_scratch);
  plan.blocks = {plan.tiles.parts, ceil_div(plan.tiles.parts, tiles_in_l2)};
  const int64_t tiles = ceil_div(plan.tiles.parts, plan.blocks.parts);
  const int64_t step_groups = 1 < tiles && tiles <= kFewTiles ? kShortStepGroups : kMaxStepGroups;
  plan.steps = {row_words / kGroupsPerBlock, ceil_div(row_words, step_groups)};
  const int64_t block_work = ceil_div(rows, plan.blocks.parts) * k * gemm.panel_width;  // of one panel
  const int64_t chunk_panels = std::max<int64_t>(1, (int64_t{1} << 20) / std::max<int64_t>(1, block_work));
  const int64_t wanted = threads == 1 ? 1 : ceil_div(int64_t{threads} * 16, plan.blocks.parts);
  plan.chunks = {num_panels, std::clamp<int64_t>(std::min(wanted, ceil_div(num_panels, chunk_panels)), 1, num_panels)};
  return plan;
}

/// How the product of one tile, whose first row is `row`, and one panel becomes output.
inline Epilogue epilogue_of(const float* product, int rows, const Panel& panel, const GemmOutput& out, int64_t row) {
  const int64_t column = panel.column - out.column_base;
  Epilogue epilogue;
  epilogue.rows = rows;
  epilogue.cols = panel.cols;
  epilogue.product = product;
  epilogue.bias = panel.bias;
  epilogue.activation = out.activation;
  epilogue.rough = out.rough;
  if (out.residual != nullptr) epilogue.residual = out.residual + row * out.residual_stride + column;
  epilogue.residual_stride = out.residual_stride;
  epilogue.output = out.data + row * out.stride + column;
  epilogue.output_stride = out.stride;
  return epilogue;
}

/// 16-bit values to the same numbers in float32.
using Widen = void (*)(const uint16_t* from, int64_t count, float* to);

/// A panel, the kernels that read it and the bytes of one k group of it.
struct ReadyPanel {
  Panel panel;
  const GemmKernels* gemm = nullptr;
  int64_t group_bytes = 0;
  Widen widen = nullptr;  // set: every step is widened into `wide` before the tiles meet it
  float* wide = nullptr;  // [kShortStepGroups, panel_width]
};

/// How the blocks of k of a panel that does not lie in memory as it is read are cut.
inline EvenCuts widened_steps(int64_t blocks, const ReadyPanel& ready) {
  const int64_t groups = ready.widen == nullptr ? kMaxStepGroups : kShortStepGroups;
  return {blocks, ceil_div(blocks * kGroupsPerBlock, groups)};
}

/// Memory from which a panel comes, to be fetched while the panel before it is at work.
struct PanelMemory {
  const std::byte* begin = nullptr;
  int64_t bytes = 0;

  PanelMemory part(int64_t i, int64_t parts) const {
    const EvenCuts cuts = {bytes, parts};
    return {begin + cuts(i), cuts(i + 1) - cuts(i)};
  }
};

/// Panels as pack_panels stored them.
struct StoredPanels {
  const CpuContext& context;
  const Panel* panels;
  int64_t count;
  int64_t row_words;  // padded k

  /// Tiles in a row block from which on a 16-bit panel is widened step by step, once for all of them.
  static constexpr int64_t kTilesWorthWidening = 3;

  /// Of a tile whose rows were packed with `infos` and panel i.
  void finish(const Epilogue& epilogue, const std::byte*, int64_t) const { context.kernels->finish_tile(epilogue); }

  PanelMemory memory(int64_t i) const {
    const int64_t values = row_words * context.kernels->gemm_f32.panel_width;
    return {static_cast<const std::byte*>(panels[i].data), values * static_cast<int64_t>(dtype_size(panels[i].stored))};
  }

  /// Panel i for `tiles` tiles.
  ReadyPanel ready(int64_t i, int worker, int64_t tiles) const {
    const Microkernels& kernels = *context.kernels;
    const Panel& panel = panels[i];
    const int64_t wide_bytes = kernels.gemm_f32.panel_width * kWordBytes;
    if (panel.stored == DType::kFloat32) return {panel, &kernels.gemm_f32, wide_bytes};
    const bool half = panel.stored == DType::kFloat16;
    if (tiles < kTilesWorthWidening) {
      return {panel, half ? &kernels.gemm_f32_f16 : &kernels.gemm_f32_bf16, wide_bytes / 2};
    }
    return {panel, &kernels.gemm_f32, wide_bytes / 2, half ? kernels.widen_f16 : kernels.widen_bf16,
            reinterpret_cast<float*>(context.scratch(worker) + kProductBytes)};
  }
};

/// The left operand of a product, by its format.
struct RowFormat {
  const GemmKernels* gemm = nullptr;  // how tall tiles and wide panels are
  int64_t k = 0;
  int64_t row_words = 0;   // of a packed row: k in groups, padded to whole blocks
  int64_t info_bytes = 0;  // that packing notes about a row, e.g. its scale
};

/// Packed rows of one wave and how it is cut.
struct Wave {
  int64_t first_row = 0;
  int64_t row_words = 0;
  const std::byte* packed = nullptr;
  const std::byte* infos = nullptr;  // [wave rows] of info_bytes each
  GemmPlan plan;

  const std::byte* tile(int64_t row) const { return packed + row * row_words * kWordBytes; }
};

/// What one task works on.
struct ChunkTask {
  int64_t tile_begin;
  int64_t tile_end;
  float* products;  // [tiles][tile_rows][kMaxPanelWidth]

  int64_t tiles() const { return tile_end - tile_begin; }
};

/// One step of k of one panel.
struct PanelStep {
  int64_t k_begin;  // groups
  int64_t k_end;
  const std::byte* data;  // of k_begin
  bool last;
  PanelMemory next;  // to fetch meanwhile

  int64_t groups() const { return k_end - k_begin; }
};

/// One panel at work: what its products need to become output.
template <class Panels>
struct PanelTask {
  const CpuContext& context;
  const Wave& wave;
  const RowFormat& format;
  const Panels& panels;
  const GemmOutput& out;
  ChunkTask task;
  int64_t index;  // of the panel
  ReadyPanel ready;

  int64_t first_row(int64_t tile) const { return wave.plan.tiles(tile); }
  int rows(int64_t tile) const { return static_cast<int>(wave.plan.tiles(tile + 1) - wave.plan.tiles(tile)); }
  float* product(int64_t slot) const { return task.products + slot * format.gemm->tile_rows * kMaxPanelWidth; }

  /// `fetch`: memory to fetch meanwhile.
  void finish(int64_t tile, const float* product, const PanelMemory& fetch) const {
    const int64_t row = first_row(tile);
    Epilogue epilogue = epilogue_of(product, rows(tile), ready.panel, out, wave.first_row + row);
    epilogue.ahead = {fetch.begin, ceil_div(fetch.bytes, rows(tile))};
    panels.finish(epilogue, wave.infos + row * format.info_bytes, index);
  }
};

/// Adds one step of k to the products of every tile of the row block, which share the fetching of what comes next.
/// After the last step a product is finished while the tile after it is multiplied, so that neither waits for the
/// other; or all at the end, where the kernels ask for it: half of what comes next is then fetched meanwhile.
template <class Panels>
void multiply_step(const PanelTask<Panels>& at, const PanelStep& step) {
  const ChunkTask& task = at.task;
  const GemmKernels& gemm = *at.ready.gemm;
  const bool half_later = gemm.finish_together && step.last;
  const PanelMemory now = half_later ? step.next.part(0, 2) : step.next;
  const PanelMemory later = half_later ? step.next.part(1, 2) : PanelMemory{};
  const int64_t fetches = step.groups() / kGroupsPerFetch;
  const int64_t pace = std::min<int64_t>(64 * kGroupsPerFetch, ceil_div(now.bytes, fetches * task.tiles()));
  const int64_t delay = gemm.finish_together ? task.tiles() : 1;  // tiles between a product and its finish
  const int64_t slots = step.k_begin == 0 && step.last ? delay + 1 : task.tiles();
  const auto product = [&](int64_t slot) { return at.product(slot % slots); };
  for (int64_t slot = 0; slot < task.tiles() + delay; ++slot) {
    if (slot < task.tiles()) {
      const int64_t tile = task.tile_begin + slot;
      const int n = at.rows(tile);
      const std::byte* rows = at.wave.tile(at.first_row(tile)) + step.k_begin * n * kWordBytes;
      const std::byte* fetch = now.begin + slot * pace * fetches;
      gemm.multiply[n](step.groups(), rows, step.data, product(slot), kMaxPanelWidth, step.k_begin > 0, {fetch, pace});
    }
    const int64_t done = slot - delay;
    if (step.last && done >= 0) at.finish(task.tile_begin + done, product(done), later.part(done, task.tiles()));
  }
}

/// The values of a step, widened where they are stored in 16 bits.
inline const std::byte* step_data(const ReadyPanel& ready, int64_t k_begin, int64_t k_end) {
  const std::byte* stored = static_cast<const std::byte*>(ready.panel.data) + ready.group_bytes * k_begin;
  if (ready.widen == nullptr) return stored;
  ready.widen(reinterpret_cast<const uint16_t*>(stored), (k_end - k_begin) * ready.gemm->panel_width, ready.wide);
  return reinterpret_cast<const std::byte*>(ready.wide);
}

/// One row block times one run of panels, panel by panel and step by step of k. What comes next is fetched meanwhile:
/// the next step, or the next panel: of this chunk, or of the one that this worker will claim next if all keep pace.
template <class Panels>
void run_chunk(const CpuContext& context, const Wave& wave, const RowFormat& format, const Panels& panels,
               const GemmOutput& out, int64_t block, int64_t chunk, int worker) {
  const GemmPlan& plan = wave.plan;
  const ChunkTask task = {plan.blocks(block), plan.blocks(block + 1),
                          reinterpret_cast<float*>(context.scratch(worker))};
  const int64_t chunk_end = plan.chunks(chunk + 1),
                next_chunk = plan.chunks((chunk + context.threads) % plan.chunks.parts);
  for (int64_t p = plan.chunks(chunk); p < chunk_end; ++p) {
    const PanelTask<Panels> at = {context, wave, format, panels, out, task, p, panels.ready(p, worker, task.tiles())};
    const ReadyPanel& ready = at.ready;
    const PanelMemory next = panels.memory(p + 1 < chunk_end ? p + 1 : next_chunk);
    const PanelMemory here = panels.memory(p);
    // Where steps are few and long, the next step of this panel is what comes next; else all of `here` is near.
    const bool long_steps = ready.panel.data == here.begin && ready.widen == nullptr;
    const EvenCuts steps = long_steps ? plan.steps : widened_steps(plan.steps.total, ready);
    for (int64_t step = 0; step < steps.parts; ++step) {
      const bool last = step + 1 == steps.parts;
      const PanelMemory& from = long_steps && !last ? here : next;
      const int64_t part = long_steps ? (step + 1) % steps.parts : step;
      const int64_t k_begin = steps(step) * kGroupsPerBlock, k_end = steps(step + 1) * kGroupsPerBlock;
      multiply_step(at, {k_begin, k_end, step_data(ready, k_begin, k_end), last, from.part(part, steps.parts)});
    }
  }
}

/// Consecutive rows of one tile, to be packed.
struct PackedRows {
  int64_t first_row;  // of the matrix
  int rows;
  int tile_rows;
  std::byte* packed;  // where the first of them goes
  std::byte* infos;
};

/// Rows that are packed as one task, so that threads share the rows of few tiles.
constexpr int64_t kRowsPerPacking = 8;

/// Packs the rows of a wave.
template <class PackRows>
void pack_wave(CpuContext& context, const RowFormat& format, const GemmPlan& plan, const PackRows& pack_rows,
               int64_t first_row, std::byte* packed, std::byte* infos) {
  const int64_t parts = ceil_div(ceil_div(plan.tiles.total, plan.tiles.parts), kRowsPerPacking);  // of a tile
  context.parallel_for_work(plan.tiles.parts * parts, plan.tiles.total * format.k * 4, [&](int64_t task, int worker) {
    const int64_t tile = task / parts, first = plan.tiles(tile);
    const EvenCuts rows = {plan.tiles(tile + 1) - first, parts};
    const int64_t begin = rows(task % parts), end = rows(task % parts + 1);
    pack_rows(PackedRows{first_row + first + begin, static_cast<int>(end - begin), static_cast<int>(rows.total),
                         packed + first * format.row_words * kWordBytes + begin * kGroupsPerBlock * kWordBytes,
                         infos + (first + begin) * format.info_bytes},
              worker);
  });
}

/// output = finish(rows x panels). `pack_rows(rows, worker)` packs PackedRows in the format; `Panels` is StoredPanels
/// or has the same members.
template <class PackRows, class Panels>
void run_gemm(CpuContext& context, int64_t rows, const RowFormat& format, const PackRows& pack_rows,
              const Panels& panels, const GemmOutput& out) {
  const GemmKernels& gemm = *format.gemm;
  const int64_t row_bytes = format.row_words * kWordBytes;
  const int64_t capacity =
      static_cast<int64_t>(context.shared_scratch.size()) / (row_bytes + format.info_bytes);  // rows
  if (capacity < std::min<int64_t>(rows, gemm.tile_rows) || context.worker_scratch_bytes < kProductBytes) {
    context.fail(ErrorCode::kINTERNAL, "a matrix product is larger than what reserve() was told of");
    return;
  }
  std::byte* packed = context.shared_scratch.as();
  for (int64_t first_row = 0; first_row < rows; first_row += capacity) {
    const int64_t wave_rows = std::min(capacity, rows - first_row);
    std::byte* infos = packed + wave_rows * row_bytes;  // row_bytes is a multiple of 64
    const GemmPlan plan =
        plan_gemm(wave_rows, format.k, format.row_words, panels.count, gemm, context.threads, context.caches);
    pack_wave(context, format, plan, pack_rows, first_row, packed, infos);
    const Wave wave = {first_row, format.row_words, packed, infos, plan};
    const int64_t work = wave_rows * format.k * panels.count * gemm.panel_width;
    context.parallel_for_work(plan.blocks.parts * plan.chunks.parts, work, [&](int64_t task, int worker) {
      run_chunk(context, wave, format, panels, out, task / plan.chunks.parts, task % plan.chunks.parts, worker);
    });
  }
}

/// The same for float32 rows as they lie in `input`.
template <class Panels>
void run_gemm_f32(CpuContext& context, const ConstMatrix& input, const Panels& panels, const GemmOutput& out) {
  const int64_t k = input.cols;
  const RowFormat format = {&context.kernels->gemm_f32, k, padded_k(k), 0};
  const float* data = static_cast<const float*>(input.data);
  const auto pack_rows = [&](const PackedRows& part, int) {
    context.kernels->pack_rows_f32(data + part.first_row * input.stride, input.stride, part.rows, part.tile_rows, k,
                                   part.packed);
  };
  run_gemm(context, input.rows, format, pack_rows, panels, out);
}

}  // namespace deberta
