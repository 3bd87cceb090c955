// Ops that treat every row alone: layer norm, embeddings, gather, tied logits.
#include <cmath>

#include "op_cases.h"
#include "random.h"
#include "storage.h"

namespace deberta::test {

namespace {

double total(const std::vector<int>& blocks) {
  double rows = 0;
  for (const int block : blocks) rows += block;
  return rows;
}

/// Random numbers below `bound`, one per row of the batch; those of a sequence depend on its number alone.
std::vector<int32_t> random_ids(const Batch& batch, int32_t bound, uint64_t stream) {
  std::vector<int32_t> ids;
  for (const int s : batch.order) {
    Random random(stream, s);
    for (int r = 0; r < batch.lengths[s]; ++r) ids.push_back(random.below(bound));
  }
  return ids;
}

struct NormShape {
  std::vector<int> blocks;
  int64_t features = 1;
  enum class Place { kBeside, kInInput, kInResidual } place = Place::kBeside;
  bool residual = true;
  float eps = 1e-7f;
  float scale = 1.0f;
  float shift = 0.0f;  // added to every input
  int64_t gap = 0;
};

Outputs run_norm(const NormShape& shape, Session& session, const Batch& batch) {
  const int64_t rows = batch.total_tokens();
  std::vector<float> input = session.random_rows("input", batch, shape.features, shape.scale);
  for (float& value : input) value = round_to(session.storage(), value + shape.shift);
  const Matrix in = session.upload_matrix(input, rows, shape.features, shape.gap);
  AddLayerNormArgs args;
  args.input = in;
  if (shape.place == NormShape::Place::kInInput) args.output = in;
  if (shape.residual) {
    const Matrix residual = session.upload_matrix(session.random_rows("residual", batch, shape.features, shape.scale),
                                                  rows, shape.features);
    args.residual = residual;
    if (shape.place == NormShape::Place::kInResidual) args.output = residual;
  }
  if (shape.place == NormShape::Place::kBeside) args.output = session.output_matrix(rows, shape.features, shape.gap);
  args.weight = session.upload(session.random("weight", shape.features, 1.0f));
  args.bias = session.upload(session.random("bias", shape.features, 0.5f));
  args.eps = shape.eps;
  session.backend().add_layer_norm(session.context(), args);
  Outputs outputs;
  append_rows(outputs, session.download(args.output), shape.features, batch);
  return outputs;
}

struct EmbeddingShape {
  std::vector<int> blocks;
  int64_t features = 1;
  bool positions = false;
  bool types = false;
  DType dtype = DType::kFloat32;
};

Outputs run_embedding(const EmbeddingShape& shape, Session& session, const Batch& batch) {
  constexpr int kVocab = 301;
  constexpr int kPositions = 64;
  EmbeddingArgs args;
  args.word_embeddings = session.table(session.weight("word", kVocab, shape.features, shape.dtype, 1.0f));
  args.input_ids = session.upload(random_ids(batch, kVocab, 1));
  if (shape.positions) {
    args.position_embeddings = session.table(session.weight("position", kPositions, shape.features, shape.dtype, 1.0f));
    args.position_ids = session.upload(random_ids(batch, kPositions, 2));
  }
  if (shape.types) {
    args.token_type_embeddings = session.table(session.weight("type", 2, shape.features, shape.dtype, 1.0f));
    args.token_type_ids = session.upload(random_ids(batch, 2, 3));
  }
  args.output = session.output_matrix(batch.total_tokens(), shape.features, 3);
  session.backend().embedding(session.context(), args);
  Outputs outputs;
  append_rows(outputs, session.download(args.output), shape.features, batch);
  return outputs;
}

/// Of each sequence the last row, then every third, then the last again.
Outputs run_gather(int64_t features, bool with_table, DType dtype, Session& session, const Batch& batch) {
  std::vector<int32_t> rows;
  std::vector<int32_t> table_rows;
  std::vector<int> counts(batch.lengths.size());
  const std::vector<int32_t> begins = batch.cu_seqlens();
  for (int64_t i = 0; i < batch.num_sequences(); ++i) {
    const int last = batch.length(i) - 1;
    std::vector<int> picked{last};
    for (int r = 0; r < last; r += 3) picked.push_back(r);
    picked.push_back(last);
    for (const int r : picked) {
      rows.push_back(begins[i] + r);
      table_rows.push_back((r * 7) % 40);
    }
    counts[batch.order[i]] = static_cast<int>(picked.size());
  }
  GatherRowsArgs args;
  args.source =
      session.upload_matrix(session.random_rows("source", batch, features, 1.0f), batch.total_tokens(), features, 2);
  args.rows = session.upload(rows);
  if (with_table) {
    args.table = session.table(session.weight("table", 40, features, dtype, 1.0f));
    args.table_rows = session.upload(table_rows);
  }
  args.output = session.output_matrix(static_cast<int64_t>(rows.size()), features, 1);
  session.backend().gather_rows(session.context(), args);
  Outputs outputs;
  append_rows(outputs, session.download(args.output), features, batch, counts);
  return outputs;
}

Outputs run_logits(int64_t features, int64_t vocab, bool bias, DType dtype, Session& session, const Batch& batch) {
  TiedLogitsArgs args;
  const float scale = 1.0f / std::sqrt(static_cast<float>(features));
  args.input =
      session.upload_matrix(session.random_rows("input", batch, features, 1.0f), batch.total_tokens(), features, 4);
  args.table = session.table(session.weight("table", vocab, features, dtype, scale));
  if (bias) args.bias = session.upload(session.random("bias", vocab, 1.0f));
  args.output = session.output_floats(batch.total_tokens() * vocab);
  session.backend().tied_logits(session.context(), args);
  Outputs outputs;
  append_rows(outputs, session.download_floats(args.output, batch.total_tokens() * vocab), vocab, batch);
  return outputs;
}

void add_norm_cases(std::vector<OpCase>& cases) {
  const auto add = [&](const std::string& what, const NormShape& shape) {
    cases.push_back({"add_layer_norm, " + what, shape.blocks, shape.features,
                     total(shape.blocks) * static_cast<double>(shape.features),
                     [shape](Session& session, const Batch& batch) { return run_norm(shape, session, batch); }});
  };
  using Place = NormShape::Place;
  for (const int64_t features : {1, 2, 15, 16, 17, 31, 48, 100, 384, 768, 1024, 1537}) {
    add(std::to_string(features) + " features", {.blocks = {1, 2, 17}, .features = features});
    add(std::to_string(features) + " features, no residual",
        {.blocks = {3, 1}, .features = features, .residual = false, .gap = 3});
  }
  for (const int rows : {1, 63, 113, 513}) {
    add(std::to_string(rows) + " rows", {.blocks = {rows}, .features = 96});
  }
  add("in its input", {.blocks = {5, 1, 12}, .features = 50, .place = Place::kInInput});
  add("in its input, no residual", {.blocks = {5, 1}, .features = 50, .place = Place::kInInput, .residual = false});
  add("in its residual", {.blocks = {5, 1, 12}, .features = 50, .place = Place::kInResidual});
  add("large eps", {.blocks = {5, 4}, .features = 48, .eps = 1e-2f, .scale = 0.1f});
  add("variance of the order of eps", {.blocks = {5, 4}, .features = 48, .scale = 2e-4f});
  add("mean far from zero", {.blocks = {5, 4}, .features = 200, .shift = 64.0f});
}

void add_table_cases(std::vector<OpCase>& cases) {
  const std::vector<int> blocks = {1, 2, 17, 64};
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    const std::string stored = dtype_size(dtype) == 4 ? "float32" : dtype == DType::kFloat16 ? "float16" : "bfloat16";
    for (const int64_t features : {1, 24, 47, 130, 768}) {
      const std::string what = stored + ", " + std::to_string(features) + " features";
      const double work = total(blocks) * static_cast<double>(features);
      for (const bool positions : {false, true}) {
        const EmbeddingShape shape{blocks, features, positions, features % 2 == 0, dtype};
        cases.push_back(
            {"embedding, " + what + (positions ? ", positions" : "") + (shape.types ? ", types" : ""), blocks, features,
             work, [shape](Session& session, const Batch& batch) { return run_embedding(shape, session, batch); }});
        cases.push_back({"gather_rows, " + what + (positions ? ", table" : ""), blocks, features, work,
                         [=](Session& session, const Batch& batch) {
                           return run_gather(features, positions, dtype, session, batch);
                         }});
      }
    }
  }
}

void add_logits_cases(std::vector<OpCase>& cases) {
  const auto add = [&](std::vector<int> blocks, int64_t features, int64_t vocab, bool bias, DType dtype) {
    const std::string name = "tied_logits, " + std::to_string(features) + " features, vocabulary " +
                             std::to_string(vocab) + ", dtype " + std::to_string(static_cast<int>(dtype)) +
                             (bias ? "" : ", no bias");
    cases.push_back({name, blocks, features, total(blocks) * static_cast<double>(features * vocab),
                     [=](Session& session, const Batch& batch) {
                       return run_logits(features, vocab, bias, dtype, session, batch);
                     }});
  };
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    add({1, 2, 17}, 96, 2100, true, dtype);
    add({3, 1}, 47, 65, false, dtype);
    add({1}, 768, 513, true, dtype);
  }
  add({1, 1}, 1, 1, true, DType::kFloat32);
  add({63, 2}, 130, 113, true, DType::kFloat32);
}

}  // namespace

std::vector<OpCase> row_cases() {
  std::vector<OpCase> cases;
  add_norm_cases(cases);
  add_table_cases(cases);
  add_logits_cases(cases);
  return cases;
}

}  // namespace deberta::test
