// conv1d: every kernel and group count the configurations may ask for, sequences shorter than the kernel.
#include <cmath>

#include "op_cases.h"

namespace deberta::test {

namespace {

struct ConvShape {
  std::vector<int> lengths;
  int64_t channels = 1;
  int kernel_size = 3;
  int groups = 1;
  Activation activation = Activation::kTanh;
  bool bias = true;
  DType dtype = DType::kFloat32;
};

Outputs run_conv(const ConvShape& shape, Session& session, const Batch& batch) {
  const int64_t fan_in = shape.channels / shape.groups * shape.kernel_size;
  const float scale = 1.0f / std::sqrt(static_cast<float>(fan_in));
  ConvWeight weight;
  weight.weight = session.weight("weight", shape.channels, fan_in, shape.dtype, scale);
  weight.bias = shape.bias ? session.keep(session.random("bias", shape.channels, 0.5f)) : nullptr;
  weight.channels = shape.channels;
  weight.kernel_size = shape.kernel_size;
  weight.groups = shape.groups;
  const int64_t rows = batch.total_tokens();
  ConvArgs args;
  args.input =
      session.upload_matrix(session.random_rows("input", batch, shape.channels, 1.0f), rows, shape.channels, 1);
  args.weight = session.conv(weight);
  args.cu_seqlens = session.upload(batch.cu_seqlens());
  args.num_sequences = batch.num_sequences();
  args.activation = shape.activation;
  args.output = session.output_matrix(rows, shape.channels, 2);
  session.backend().conv1d(session.context(), args);
  Outputs outputs;
  append_rows(outputs, session.download(args.output), shape.channels, batch);
  return outputs;
}

}  // namespace

std::vector<OpCase> conv_cases() {
  std::vector<OpCase> cases;
  const auto add = [&](const std::string& what, const ConvShape& shape) {
    double rows = 0;
    for (const int length : shape.lengths) rows += length;
    const int64_t fan_in = shape.channels / shape.groups * shape.kernel_size;
    cases.push_back({"conv1d, " + what, shape.lengths, shape.channels,
                     rows * static_cast<double>(shape.channels * fan_in),
                     [shape](Session& session, const Batch& batch) { return run_conv(shape, session, batch); }});
  };
  for (const int kernel : {1, 3, 5, 7}) {
    for (const int groups : {1, 2, 3, 12}) {
      add("kernel " + std::to_string(kernel) + ", groups " + std::to_string(groups),
          {.lengths = {1, 17, 2, 3, 1}, .channels = 24, .kernel_size = kernel, .groups = groups});
    }
  }
  add("long and short", {.lengths = {113, 1, 64, 2}, .channels = 48, .activation = Activation::kGelu});
  add("one token each", {.lengths = {1, 1, 1, 1, 1, 1}, .channels = 33, .kernel_size = 5, .groups = 3});
  add("128 channels", {.lengths = {65, 16}, .channels = 128, .activation = Activation::kGelu});
  add("no bias", {.lengths = {9, 4}, .channels = 17, .activation = Activation::kNone, .bias = false});
  add("float16 weights", {.lengths = {15, 1, 2}, .channels = 36, .groups = 2, .dtype = DType::kFloat16});
  add("bfloat16 weights", {.lengths = {15, 1, 2}, .channels = 36, .groups = 2, .dtype = DType::kBFloat16});
  return cases;
}

}  // namespace deberta::test
