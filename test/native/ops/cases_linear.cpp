// linear: rows and features off every tile, all stored types, parts, every activation, residuals beside and in the
// output.
#include <algorithm>
#include <cmath>

#include "op_cases.h"
#include "random.h"

namespace deberta::test {

namespace {

struct LinearShape {
  std::vector<int> blocks;  // of rows
  int64_t in_features = 1;
  std::vector<int64_t> parts = {1};  // out_features of each
  int begin = 0;                     // the parts that are computed
  int end = 1;
  DType dtype = DType::kFloat32;
  bool bias = true;
  Activation activation = Activation::kNone;
  enum class Residual { kNone, kBeside, kInOutput } residual = Residual::kNone;
  int64_t gap = 0;  // between the rows of input and output
};

using Residual = LinearShape::Residual;

Outputs run_linear(const LinearShape& shape, Session& session, const Batch& batch) {
  const int64_t rows = batch.total_tokens();
  const float scale = 1.0f / std::sqrt(static_cast<float>(shape.in_features));
  std::vector<LinearPart> parts;
  int64_t out_features = 0;
  for (size_t p = 0; p < shape.parts.size(); ++p) {
    const std::string tag = "part" + std::to_string(p);
    const WeightView weight = session.weight(tag, shape.parts[p], shape.in_features, shape.dtype, scale);
    parts.push_back({weight, shape.bias ? session.keep(session.random(tag + "bias", shape.parts[p], 0.5f)) : nullptr});
    if (static_cast<int>(p) >= shape.begin && static_cast<int>(p) < shape.end) out_features += shape.parts[p];
  }
  LinearArgs args;
  args.weight = session.linear(parts);
  args.part_begin = shape.begin;
  args.part_end = shape.end;
  args.activation = shape.activation;
  args.input = session.upload_matrix(session.random_rows("input", batch, shape.in_features, 2.0f), rows,
                                     shape.in_features, shape.gap);
  const std::vector<float> residual = session.random_rows("residual", batch, out_features, 1.0f);
  if (shape.residual == Residual::kInOutput) {
    args.output = session.upload_matrix(residual, rows, out_features, shape.gap);
    args.residual = args.output;
  } else {
    args.output = session.output_matrix(rows, out_features, shape.gap);
    if (shape.residual == Residual::kBeside) args.residual = session.upload_matrix(residual, rows, out_features);
  }
  session.backend().linear(session.context(), args);
  Outputs outputs;
  append_rows(outputs, session.download(args.output), out_features, batch);
  return outputs;
}

OpCase linear_case(const std::string& what, const LinearShape& shape) {
  int64_t out_features = 0;
  for (int p = shape.begin; p < shape.end; ++p) out_features += shape.parts[p];
  const bool residual = shape.residual != Residual::kNone;
  double rows = 0;
  for (const int block : shape.blocks) rows += block;
  return {.name = "linear, " + what,
          .lengths = shape.blocks,
          .features = residual ? std::max(shape.in_features, out_features) : shape.in_features,
          .work = rows * static_cast<double>(shape.in_features * out_features),
          .run = [shape](Session& session, const Batch& batch) { return run_linear(shape, session, batch); }};
}

}  // namespace

std::vector<OpCase> linear_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](const std::string& what, const LinearShape& shape) {
    cases.push_back(linear_case(what, shape));
  };

  for (const int rows : {1, 2, 15, 16, 17, 63, 64, 65, 113, 512, 513}) {
    add(std::to_string(rows) + " rows", {.blocks = {rows}, .in_features = 40, .parts = {50}});
  }
  for (const int64_t in : {1, 7, 16, 31, 48, 64, 96, 129, 768, 1537}) {
    add(std::to_string(in) + " in", {.blocks = {5, 1, 17}, .in_features = in, .parts = {33}});
  }
  for (const int64_t out : {1, 2, 3, 15, 16, 17, 31, 32, 48, 65, 100, 192, 770}) {
    add(std::to_string(out) + " out", {.blocks = {1, 14, 2, 15}, .in_features = 24, .parts = {out}});
  }
  add("wide and tall", {.blocks = {64, 1, 113, 2}, .in_features = 257, .parts = {130}, .gap = 5});
  for (const DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    const std::string name = dtype == DType::kFloat16 ? "float16 weights" : "bfloat16 weights";
    add(name, {.blocks = {1, 16, 30}, .in_features = 100, .parts = {70}, .dtype = dtype});
    add(name + ", one row", {.blocks = {1}, .in_features = 31, .parts = {3}, .dtype = dtype, .bias = false});
  }
  add("no bias", {.blocks = {17, 3}, .in_features = 48, .parts = {48}, .bias = false});

  constexpr auto kLast = static_cast<int>(Activation::kLaplace);
  for (int a = 0; a <= kLast; ++a) {
    add("activation " + std::to_string(a), {.blocks = {13, 1, 7},
                                            .in_features = 20,
                                            .parts = {53},
                                            .activation = static_cast<Activation>(a),
                                            .residual = a % 2 ? Residual::kBeside : Residual::kNone});
  }
  add("residual beside", {.blocks = {1, 33}, .in_features = 65, .parts = {47}, .residual = Residual::kBeside});
  add("residual in the output", {.blocks = {1, 33}, .in_features = 65, .parts = {47}, .residual = Residual::kInOutput});
  add("activation, residual in the output", {.blocks = {29, 1},
                                             .in_features = 33,
                                             .parts = {96},
                                             .activation = Activation::kGelu,
                                             .residual = Residual::kInOutput,
                                             .gap = 3});
  for (int begin = 0; begin < 3; ++begin) {
    for (int end = begin + 1; end <= 3; ++end) {
      const std::string range = std::to_string(begin) + " to " + std::to_string(end);
      add("equal parts " + range,
          {.blocks = {18, 1}, .in_features = 48, .parts = {48, 48, 48}, .begin = begin, .end = end});
      add("unequal parts " + range, {.blocks = {18, 1},
                                     .in_features = 21,
                                     .parts = {5, 70, 33},
                                     .begin = begin,
                                     .end = end,
                                     .dtype = DType::kFloat16,
                                     .residual = Residual::kBeside});
    }
  }
  for (int i = 0; i < 60; ++i) {  // combinations that nobody thought of: the same ones on every machine
    Random random(2025, i);
    LinearShape shape;
    for (int b = 1 + random.below(4); b > 0; --b) shape.blocks.push_back(1 + random.below(random.below(3) ? 20 : 150));
    shape.in_features = 1 + random.below(300);
    shape.parts = {1 + random.below(90), 1 + random.below(90), 1 + random.below(90)};
    shape.begin = random.below(3);
    shape.end = shape.begin + 1 + random.below(3 - shape.begin);
    shape.dtype = static_cast<DType>(random.below(3));  // float32, float16, bfloat16
    shape.bias = random.below(3) > 0;
    shape.activation = static_cast<Activation>(random.below(static_cast<int>(Activation::kLaplace) + 1));
    shape.residual = static_cast<Residual>(random.below(3));
    shape.gap = random.below(7);
    add("random " + std::to_string(i), shape);
  }
  add("768 in, 768 out", {.blocks = {113, 1, 17}, .in_features = 768, .parts = {768}});
  return cases;
}

}  // namespace deberta::test
