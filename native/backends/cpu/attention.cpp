// Disentangled attention on the CPU, without a matrix of scores: a task is one block of queries of one head; it walks
// the keys of its sequence in tiles with an online softmax (Milakov and Gimelshein, arXiv 1805.02867; Dao et al., arXiv
// 2205.14135). Tiles start at multiples of kKeyTile and strips at multiples of their width from the sequence's own
// start, and every sum has a fixed order: a sequence's result depends neither on the batch nor on the number of
// threads.
#include "backends/cpu/attention.h"

#include <algorithm>

#include "backends/cpu/attention_block.h"
#include "backends/cpu/attention_talking_heads.h"

namespace deberta {

namespace {

/// Blocks are numbered so that the sequence of a number is found by bisection, with no table: block b of sequence s is
/// cu_seqlens[s] / kQueryBlock + s + b. Some numbers belong to nobody.
int64_t block_number(const AttentionArgs& args, int64_t sequence) {
  return args.cu_seqlens[sequence] / kQueryBlock + sequence;
}

int64_t sequence_of_block(const AttentionArgs& args, int64_t block) {
  int64_t low = 0, high = args.num_sequences - 1;  // the last sequence whose first block is not after `block`
  while (low < high) {
    const int64_t middle = (low + high + 1) / 2;
    if (block_number(args, middle) <= block) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/// Positions [begin, end) of block `block` of its sequence, all sequences being cut in equal blocks; empty if none.
struct BlockPositions {
  int64_t sequence;
  int64_t begin;
  int64_t end;
};

BlockPositions block_positions(const AttentionArgs& args, int64_t block, int strip) {
  const int64_t s = sequence_of_block(args, block);
  const int64_t length = args.cu_seqlens[s + 1] - args.cu_seqlens[s];
  const int64_t blocks = std::max<int64_t>(1, (length + kQueryBlock - 1) / kQueryBlock);
  const int64_t size = ((length + blocks - 1) / blocks + strip - 1) / strip * strip;
  const int64_t begin = std::min(length, (block - block_number(args, s)) * size);
  return {s, begin, std::min(length, begin + size)};
}

/// The scores of a strip and a tile go to the attention map as they are; finish_map() turns them into probabilities.
void keep_scores(const AttentionBlock& block, const QueryStrip& strip, int64_t num_keys, float* map) {
  for (int q = 0; q < strip.count; ++q) {
    float* row = map + (strip.first + q) * num_keys + block.tile().begin;
    for (int key = 0; key < block.tile().count; ++key) row[key] = block.score(key, q);
  }
}

void finish_map(const AttentionMicrokernels& kernels, const QueryStrip& strip, int64_t num_keys, float* map) {
  for (int q = 0; q < strip.count; ++q) {
    kernels.normalize(map + (strip.first + q) * num_keys, num_keys, strip.largest[q], 1.0f / strip.sum[q]);
  }
}

/// exp(scores) V of one strip and one tile, on top of what the tiles before gave. output: on the last tile, the rows of
/// the strip; else null.
void accumulate(const AttentionMicrokernels& kernels, const AttentionProducts& products, const AttentionArgs& args,
                AttentionBlock& block, QueryStrip& strip, float* output) {
  const KeyTile& tile = block.tile();
  const bool first = tile.begin == 0;
  if (first) {
    std::copy_n(block.tile_max(), kernels.query_strip, strip.largest);
    std::fill_n(strip.sum, kernels.query_strip, 0.0f);
  } else {
    kernels.update_softmax(block.tile_max(), strip.vectors, strip.largest, strip.correction, strip.sum);
  }
  products.exponentiate(block.scores(), block.score_vector_stride(), tile.count, strip.vectors, strip.largest,
                        strip.sum);
  WeightedSum weighted;
  weighted.weights = block.scores();
  weighted.weight_vector_stride = block.score_vector_stride();
  weighted.steps = (tile.count + products.group - 1) / products.group;
  weighted.queries = strip.count;
  weighted.values = block.values().rows;
  weighted.value_stride = block.values().stride;
  weighted.head_dim = args.head_dim;
  weighted.correction = first ? nullptr : strip.correction;
  weighted.sums = strip.sums;
  weighted.divisor = output ? strip.sum : nullptr;
  weighted.output = output;
  weighted.output_stride = args.output.stride;
  weighted.prefetch = block.prefetch();
  products.weigh_values(weighted);
}

/// A block of queries of one head against all keys of its sequence. map: the attention map of the block's first query,
/// or null. next: a block that begins when this one ends, or null.
void attend(const CpuContext& cpu, const AttentionArgs& args, const QueryRange& range, int head, float* map,
            const NextBlock* next, AttentionBlock& block) {
  const AttentionMicrokernels& kernels = cpu.kernels->attention;
  const AttentionProducts& products = attention_products(cpu);
  block.begin(args, products, range, head);
  for (int64_t key = 0; key < range.num_keys; key += kKeyTile) {
    const KeyTile tile{key, static_cast<int>(std::min<int64_t>(kKeyTile, range.num_keys - key))};
    const bool last = key + kKeyTile >= range.num_keys;
    block.begin_tile(tile, last ? next : nullptr);
    block.begin_values();
    for (int s = 0; s < block.num_strips(); ++s) {
      block.score(block.strip(s));
      if (map) keep_scores(block, block.strip(s), range.num_keys, map);
      float* output = static_cast<float*>(args.output.data) +
                      (range.row_begin + block.strip(s).first) * args.output.stride +
                      static_cast<int64_t>(head) * args.head_dim;
      accumulate(kernels, products, args, block, block.strip(s), last ? output : nullptr);
    }
  }
  for (int s = 0; map && s < block.num_strips(); ++s) finish_map(kernels, block.strip(s), range.num_keys, map);
}

QueryRange dense_range(const AttentionArgs& args, const BlockPositions& block) {
  QueryRange range;
  range.key_begin = args.cu_seqlens[block.sequence];
  range.num_keys = args.cu_seqlens[block.sequence + 1] - range.key_begin;
  range.row_begin = range.key_begin + block.begin;
  range.num_rows = block.end - block.begin;
  range.position = block.begin;
  return range;
}

/// Calls body(range, first query of the range within its sequence) for the queries of a block, kQueryBlock at a time.
template <class Body>
void for_query_ranges(const AttentionArgs& args, const BlockPositions& block, Body&& body) {
  QueryRange range = dense_range(args, block);
  if (!args.query_cu_seqlens) {
    if (range.num_rows > 0) body(range, block.begin);
    return;
  }
  const int32_t* positions = args.query_positions;
  const int64_t queries_begin = args.query_cu_seqlens[block.sequence];
  const int32_t* queries = positions + queries_begin;
  const int32_t* queries_end = positions + args.query_cu_seqlens[block.sequence + 1];
  const int32_t* first = std::lower_bound(queries, queries_end, block.begin);
  const int32_t* last = std::lower_bound(first, queries_end, block.end);
  for (; first < last; first += range.num_rows) {
    range.row_begin = first - positions;
    range.num_rows = std::min<int64_t>(kQueryBlock, last - first);
    range.position = first[0];
    range.positions = first;
    body(range, range.row_begin - queries_begin);
  }
}

int64_t num_queries(const AttentionArgs& args, int64_t sequence) {
  const int32_t* cu = args.query_cu_seqlens ? args.query_cu_seqlens : args.cu_seqlens;
  return cu[sequence + 1] - cu[sequence];
}

bool mixes_heads(const AttentionArgs& args) { return args.head_logits_proj || args.head_weights_proj; }

bool args_fit(CpuContext& cpu, const AttentionArgs& args) {
  WorkspaceShape shape;
  shape.num_heads = args.num_heads;
  shape.head_dim = args.head_dim;
  if (attention_scratch_bytes(shape, cpu) > cpu.worker_scratch_bytes) {
    cpu.fail(ErrorCode::kINTERNAL, "attention: more heads, or wider ones, than reserve() was told");
    return false;
  }
  if (args.positions &&
      (as_cpu(args.positions)->products != &attention_products(cpu) ||
       as_cpu(args.positions)->num_heads != args.num_heads || as_cpu(args.positions)->head_dim != args.head_dim)) {
    cpu.fail(ErrorCode::kINTERNAL, "attention: positions were packed for another dtype, instruction set or shape");
    return false;
  }
  return true;
}

/// The tasks of an op: every block with every head, or once for all heads where they talk. Heads go in groups: all
/// blocks with the heads of a group, then with those of the next.
struct TaskGrid {
  int64_t blocks = 0;
  int64_t heads = 1;
  int64_t group = 1;         // heads, the last group may have fewer
  bool looks_ahead = false;  // the rows of the next task are fetched while one runs

  struct Place {
    int64_t block;
    int head;
  };
  int64_t tasks() const { return blocks * heads; }
  Place place(int64_t task) const {
    const int64_t first = task / (blocks * group) * group, in_group = task - first * blocks;
    const int64_t width = std::min(group, heads - first);
    return {in_group / width, static_cast<int>(first + in_group % width)};
  }
};

/// The position tables of a group stay in the cache from one sequence to the next: as many heads as fit, so that rows
/// of activations, kilobytes apart, are read in long pieces. A small batch is in the cache as a whole.
TaskGrid task_grid(const CpuContext& cpu, const AttentionArgs& args) {
  TaskGrid grid;
  grid.blocks = block_number(args, args.num_sequences);
  if (mixes_heads(args)) return grid;
  grid.heads = args.num_heads;
  const int64_t distances = 2 * std::max<int64_t>(args.max_seqlen, 1);
  const size_t head_bytes = 2 * static_cast<size_t>(distances * args.head_dim) * sizeof(float);
  const size_t row_bytes = 4 * static_cast<size_t>(args.num_heads) * static_cast<size_t>(args.head_dim) * sizeof(float);
  const size_t tokens = static_cast<size_t>(args.cu_seqlens[args.num_sequences]);
  grid.looks_ahead = !args.query_cu_seqlens && tokens * row_bytes > cpu.caches.l2 / 2;
  grid.group = std::clamp<int64_t>(static_cast<int64_t>(cpu.caches.l2 / 4 * 3 / head_bytes), 1, args.num_heads);
  return grid;
}

void run_task(const CpuContext& cpu, const AttentionArgs& args, const TaskGrid& grid, int64_t task, int worker) {
  const AttentionMicrokernels& kernels = cpu.kernels->attention;
  const auto [number, head] = grid.place(task);
  const BlockPositions positions = block_positions(args, number, kernels.query_strip);
  const int64_t queries = num_queries(args, positions.sequence);
  const int64_t keys = args.cu_seqlens[positions.sequence + 1] - args.cu_seqlens[positions.sequence];
  float* maps = args.probabilities ? args.probabilities + args.probability_offsets[positions.sequence] : nullptr;
  ScratchCursor scratch(cpu.scratch(worker));
  AttentionBlock block(kernels, args.head_dim, scratch);
  if (mixes_heads(args)) {
    TalkingHeads talking(kernels, args.num_heads, args.head_dim, scratch);
    for_query_ranges(args, positions, [&](const QueryRange& range, int64_t first_query) {
      float* map = maps ? maps + first_query * keys : nullptr;
      talking.attend(attention_products(cpu), args, range, map, queries * keys, block);
    });
    return;
  }
  const int64_t next_task = task + cpu.threads;  // workers take turns, more or less
  NextBlock next;
  if (grid.looks_ahead && next_task < grid.tasks()) {
    const TaskGrid::Place place = grid.place(next_task);
    next = {dense_range(args, block_positions(args, place.block, kernels.query_strip)), place.head};
  }
  for_query_ranges(args, positions, [&](const QueryRange& range, int64_t first_query) {
    float* map = maps ? maps + (head * queries + first_query) * keys : nullptr;
    attend(cpu, args, range, head, map, grid.looks_ahead ? &next : nullptr, block);
  });
}

}  // namespace

size_t attention_scratch_bytes(const WorkspaceShape& shape, const CpuContext& context) {
  const AttentionMicrokernels& kernels = context.kernels->attention;
  ScratchCursor scratch(nullptr);
  const AttentionBlock block(kernels, static_cast<int>(shape.head_dim), scratch);
  TalkingHeads(kernels, static_cast<int>(shape.num_heads), static_cast<int>(shape.head_dim), scratch);
  return scratch.bytes();
}

void cpu_disentangled_attention(OpContext* context, const AttentionArgs& args) noexcept {
  CpuContext& cpu = as_cpu(context);
  if (args.num_sequences == 0 || !args_fit(cpu, args)) return;
  const TaskGrid grid = task_grid(cpu, args);
  cpu.parallel_for(grid.tasks(), [&](int64_t task, int worker) { run_task(cpu, args, grid, task, worker); });
}

}  // namespace deberta
