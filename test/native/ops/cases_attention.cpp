// disentangled_attention: every pair of terms, index, head size and kind of query, lengths around every tile.
#include <cmath>

#include "op_cases.h"
#include "random.h"
#include "relative_index.h"

namespace deberta::test {

namespace {

enum Talking { kSilent = 0, kBeforeSoftmax = 1, kAfterSoftmax = 2, kBoth = 3 };

struct AttentionShape {
  std::vector<int> lengths;
  int num_heads = 2;
  int head_dim = 32;
  bool c2p = true;
  bool p2c = true;
  IndexRows index = log_buckets(8, 32);
  bool emd = false;  // a few queries of each sequence, in rows of their own
  int talking = kSilent;
  bool maps = false;
  float gain = 1.0f;  // of queries and keys: scores grow by its square
};

/// The queries of sequence `s` in the enhanced mask decoder, ascending: some, none, the last alone, all, in turn.
std::vector<int32_t> emd_positions(int s, int length) {
  std::vector<int32_t> positions;
  for (int32_t i = 0; i < length; ++i) {
    const bool asked = s % 4 == 0 ? i % 7 == 3 || i == length - 1 : s % 4 == 2 ? i == length - 1 : s % 4 == 3;
    if (asked) positions.push_back(i);
  }
  return positions;
}

struct Queries {
  std::vector<int> counts;  // by number of the sequence
  std::vector<int32_t> cu_seqlens = {0};
  std::vector<int32_t> positions;
};

Queries queries_of(const AttentionShape& shape, const Batch& batch) {
  Queries queries{batch.lengths, {0}, {}};
  for (const int s : batch.order) {
    std::vector<int32_t> positions = emd_positions(s, batch.lengths[s]);
    if (shape.emd) queries.counts[s] = static_cast<int>(positions.size());
    queries.cu_seqlens.push_back(queries.cu_seqlens.back() + queries.counts[s]);
    queries.positions.insert(queries.positions.end(), positions.begin(), positions.end());
  }
  return queries;
}

const PackedPositions* pack_positions(const AttentionShape& shape, Session& session) {
  if (!shape.c2p && !shape.p2c) return nullptr;
  const int64_t width = static_cast<int64_t>(shape.num_heads) * shape.head_dim;
  const int64_t rows = shape.index.num_rows;
  PositionsArgs args;
  if (shape.c2p) args.pos_key = session.upload_matrix(session.random("pos_key", rows * width, shape.gain), rows, width);
  if (shape.p2c) {
    args.pos_query = session.upload_matrix(session.random("pos_query", rows * width, shape.gain), rows, width, 5);
  }
  args.index = {shape.index.rows.data(), shape.index.max_distance, shape.index.num_rows};
  args.num_heads = shape.num_heads;
  args.head_dim = shape.head_dim;
  return session.positions(args);
}

/// Query, key and value as the model lays them: side by side in one matrix; the queries of the decoder apart.
void upload_operands(const AttentionShape& shape, Session& session, const Batch& batch, const Queries& queries,
                     AttentionArgs& args) {
  const int64_t width = static_cast<int64_t>(shape.num_heads) * shape.head_dim;
  const Matrix qkv =
      session.upload_matrix(session.random_rows("qkv", batch, 3 * width, shape.gain), batch.total_tokens(), 3 * width);
  args.query = session.slice(qkv, 0, width);
  args.key = session.slice(qkv, width, width);
  args.value = session.slice(qkv, 2 * width, width);
  args.cu_seqlens = session.upload(batch.cu_seqlens());
  if (!shape.emd) return;
  args.query = session.upload_matrix(session.random_rows("query", batch, width, shape.gain, queries.counts),
                                     queries.cu_seqlens.back(), width, 1);
  args.query_cu_seqlens = session.upload(queries.cu_seqlens);
  args.query_positions = session.upload(queries.positions);
}

Outputs run_attention(const AttentionShape& shape, Session& session, const Batch& batch) {
  const int64_t width = static_cast<int64_t>(shape.num_heads) * shape.head_dim;
  const int64_t heads = shape.num_heads;
  const Queries queries = queries_of(shape, batch);
  AttentionArgs args;
  upload_operands(shape, session, batch, queries, args);
  args.positions = pack_positions(shape, session);
  args.num_sequences = batch.num_sequences();
  args.max_seqlen = batch.max_seqlen();
  args.num_heads = shape.num_heads;
  args.head_dim = shape.head_dim;
  args.scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim * (1 + shape.c2p + shape.p2c)));
  if (shape.talking & kBeforeSoftmax)
    args.head_logits_proj = session.upload(session.random("logits", heads * heads, 1.0f));
  if (shape.talking & kAfterSoftmax)
    args.head_weights_proj = session.upload(session.random("weights", heads * heads, 1.0f));

  std::vector<int> map_sizes(batch.lengths.size());  // by number of the sequence
  std::vector<int64_t> offsets;
  int64_t map_total = 0;
  for (const int s : batch.order) {
    map_sizes[s] = shape.num_heads * queries.counts[s] * batch.lengths[s];
    offsets.push_back(map_total);
    map_total += map_sizes[s];
  }
  if (shape.maps) {
    args.probabilities = session.output_floats(map_total);
    args.probability_offsets = session.upload(offsets);
  }
  args.output = session.output_matrix(queries.cu_seqlens.back(), width, 3);
  session.backend().disentangled_attention(session.context(), args);
  Outputs outputs;
  append_rows(outputs, session.download(args.output), width, batch, queries.counts);
  if (shape.maps) append_rows(outputs, session.download_floats(args.probabilities, map_total), 1, batch, map_sizes);
  return outputs;
}

std::string terms(const AttentionShape& shape) {
  return shape.c2p && shape.p2c ? "c2p and p2c" : shape.c2p ? "c2p" : shape.p2c ? "p2c" : "no position terms";
}

/// Scores are bell-shaped with deviation gain^2, wider by sqrt(num_heads) once mixed; few exceed five deviations.
double largest_score(const AttentionShape& shape) {
  const double mixing = shape.talking & kBeforeSoftmax ? std::sqrt(static_cast<double>(shape.num_heads)) : 1.0;
  return 5.0 * shape.gain * shape.gain * mixing;
}

class Table {
 public:
  void add(const std::string& what, const AttentionShape& shape) {
    double pairs = 0;
    for (const int length : shape.lengths) pairs += static_cast<double>(length) * length;
    const int64_t width = static_cast<int64_t>(shape.num_heads) * shape.head_dim;
    cases.push_back({"attention, " + what + ", " + terms(shape), shape.lengths, 3 * width,
                     pairs * static_cast<double>(width * (2 + shape.c2p + shape.p2c)),
                     [shape](Session& session, const Batch& batch) { return run_attention(shape, session, batch); },
                     shape.num_heads, shape.head_dim, 1.0 + largest_score(shape)});
  }

  /// With c2p and p2c, with either and with neither.
  void add_all_terms(const std::string& what, AttentionShape shape) {
    for (const bool c2p : {true, false}) {
      for (const bool p2c : {true, false}) {
        shape.c2p = c2p;
        shape.p2c = p2c;
        add(what, shape);
      }
    }
  }

  std::vector<OpCase> cases;
};

void add_sizes(Table& table) {
  for (const int head_dim : {8, 16, 20, 32, 48, 64, 96, 128}) {
    table.add_all_terms("head_dim " + std::to_string(head_dim), {.lengths = {17, 1, 33}, .head_dim = head_dim});
  }
  for (const int num_heads : {1, 2, 3, 12}) {
    table.add(std::to_string(num_heads) + " heads", {.lengths = {5, 34}, .num_heads = num_heads, .head_dim = 16});
  }
  for (const int length : {1, 2, 15, 16, 17, 31, 63, 64, 65, 113, 127, 129}) {
    table.add("length " + std::to_string(length), {.lengths = {length}, .index = log_buckets(16, 64)});
  }
  for (const int length : {512, 513}) {
    table.add_all_terms("length " + std::to_string(length),
                        {.lengths = {length}, .num_heads = 1, .head_dim = 64, .index = log_buckets(256, 512)});
  }
  table.add("length 1100", {.lengths = {1100}, .num_heads = 1, .index = log_buckets(256, 512)});
  table.add("mixed lengths", {.lengths = {113, 1, 64, 2, 17, 65}, .num_heads = 3});
  table.add_all_terms("one token each", {.lengths = {1, 1, 1, 1, 1}, .head_dim = 64});
}

void add_indices(Table& table) {
  const std::vector<int> lengths = {65, 2, 113};
  table.add_all_terms("clamped at 5", {.lengths = lengths, .index = clamped(5)});
  table.add_all_terms("clamped at 512", {.lengths = lengths, .index = clamped(512)});
  table.add_all_terms("clamped at 1", {.lengths = lengths, .index = clamped(1)});
  table.add_all_terms("32 of 128 buckets", {.lengths = lengths, .index = log_buckets(32, 128)});
  table.add_all_terms("one row for every distance", {.lengths = lengths, .index = single_row()});
  table.add_all_terms("rows in uneven steps", {.lengths = lengths, .index = uneven_steps(90)});
  table.add("far beyond a small span", {.lengths = {513, 1}, .num_heads = 1, .index = clamped(5)});
  table.add("far beyond few buckets", {.lengths = {401}, .num_heads = 1, .head_dim = 64, .index = log_buckets(8, 32)});
  table.add("beyond the span", {.lengths = {512}, .num_heads = 1, .p2c = false, .index = log_buckets(32, 128)});
  table.add("beyond the span", {.lengths = {512}, .num_heads = 1, .c2p = false, .index = log_buckets(32, 128)});
}

void add_kinds(Table& table) {
  const std::vector<int> lengths = {17, 9, 113, 16, 1};  // their queries: some, none, the last, all, the last
  table.add_all_terms("decoder queries", {.lengths = lengths, .emd = true});
  table.add("decoder queries, large span", {.lengths = {65, 3, 64}, .index = log_buckets(256, 512), .emd = true});
  table.add("decoder queries far away", {.lengths = {513, 1, 300}, .num_heads = 1, .index = clamped(5), .emd = true});
  table.add("decoder queries, maps", {.lengths = lengths, .num_heads = 3, .emd = true, .maps = true});
  table.add_all_terms("maps", {.lengths = {17, 2, 65, 1}, .num_heads = 3, .maps = true});
  table.add("maps of 130 tokens", {.lengths = {130}, .head_dim = 64, .maps = true});
  for (const int talking : {kBeforeSoftmax, kAfterSoftmax, kBoth}) {
    const std::string name = "talking heads " + std::to_string(talking);
    table.add(name, {.lengths = {33, 1, 17}, .num_heads = 3, .head_dim = 16, .talking = talking});
    table.add(name + ", maps", {.lengths = {7, 20}, .num_heads = 12, .head_dim = 16, .talking = talking, .maps = true});
    table.add(name + ", decoder queries", {.lengths = lengths, .num_heads = 2, .emd = true, .talking = talking});
  }
  table.add_all_terms("large scores", {.lengths = {64, 130}, .head_dim = 64, .gain = 4.0f});
  table.add("large scores, small span", {.lengths = {200}, .index = clamped(5), .gain = 4.0f});
}

/// Combinations that nobody thought of: the same ones on every machine.
void add_random(Table& table) {
  constexpr int kHeadDims[] = {8, 16, 24, 32, 48, 64, 80, 96, 128};
  for (int i = 0; i < 80; ++i) {
    Random random(2024, i);
    AttentionShape shape;
    shape.lengths.clear();
    for (int s = 1 + random.below(4); s > 0; --s) shape.lengths.push_back(1 + random.below(random.below(3) ? 40 : 200));
    shape.num_heads = 1 + random.below(4);
    shape.head_dim = kHeadDims[random.below(9)];
    shape.c2p = random.below(4) > 0;
    shape.p2c = random.below(4) > 0;
    const int32_t span = 1 + random.below(150);
    shape.index = random.below(2) ? clamped(span) : log_buckets(2 * (2 + span / 4), 8 + 2 * span);
    shape.emd = random.below(3) == 0;
    shape.talking = random.below(4) == 0 ? 1 + random.below(3) : kSilent;
    shape.maps = random.below(4) == 0;
    shape.gain = random.below(3) == 0 ? 3.0f : 1.0f;
    table.add("random " + std::to_string(i), shape);
  }
}

}  // namespace

std::vector<OpCase> attention_cases() {
  Table table;
  add_sizes(table);
  add_indices(table);
  add_kinds(table);
  add_random(table);
  return table.cases;
}

}  // namespace deberta::test
