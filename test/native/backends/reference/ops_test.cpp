// The oracle itself, on numbers small enough to follow by hand.
#include <cmath>

#include "backends/reference/reference_backend.h"
#include "doctest/doctest.h"
#include "session.h"
#include "storage.h"

namespace deberta::test {

namespace {

using Floats = std::vector<float>;

/// A weight with these values, stored as `dtype`.
struct Weight {
  Weight(const Floats& values, int64_t rows, DType dtype = DType::kFloat32) : bytes(values.size() * dtype_size(dtype)) {
    for (size_t i = 0; i < values.size(); ++i) store(dtype, values[i], bytes.data() + i * dtype_size(dtype));
    view = {bytes.data(), dtype, rows, static_cast<int64_t>(values.size()) / rows};
  }
  std::vector<unsigned char> bytes;
  WeightView view;
};

struct Reference {
  Session session{reference_backend(), {}, DType::kFloat32, {}};
  const Backend& backend = session.backend();

  Floats linear(const LinearPart& part, const Floats& input, Activation activation, const Floats& residual) {
    LinearArgs args;
    args.input = session.upload_matrix(input, 1, part.weight.cols);
    args.weight = session.linear({part});
    args.activation = activation;
    if (!residual.empty()) args.residual = session.upload_matrix(residual, 1, part.weight.rows);
    args.output = session.output_matrix(1, part.weight.rows);
    backend.linear(session.context(), args);
    return session.download(args.output);
  }

  Floats conv(const ConvWeight& weight, const Floats& input, const std::vector<int32_t>& cu_seqlens) {
    ConvArgs args;
    args.input = session.upload_matrix(input, cu_seqlens.back(), weight.channels);
    args.weight = session.conv(weight);
    args.cu_seqlens = session.upload(cu_seqlens);
    args.num_sequences = static_cast<int64_t>(cu_seqlens.size()) - 1;
    args.output = session.output_matrix(cu_seqlens.back(), weight.channels);
    backend.conv1d(session.context(), args);
    return session.download(args.output);
  }
};

}  // namespace

TEST_CASE_FIXTURE(Reference, "reference linear: x W^T + b, activation, residual, in this order") {
  const Floats bias = {0.5f, 0.0f, -10.0f};
  for (const DType dtype : {DType::kFloat32, DType::kFloat16, DType::kBFloat16}) {
    const Weight weight({1, 1, 2, -1, 0, 3}, 3, dtype);
    const LinearPart part{weight.view, bias.data()};
    CHECK(linear(part, {1, 2}, Activation::kNone, {}) == Floats{3.5f, 0, -4});
    CHECK(linear(part, {1, 2}, Activation::kRelu, {}) == Floats{3.5f, 0, 0});
    CHECK(linear(part, {1, 2}, Activation::kRelu, {1, -2, -3}) == Floats{4.5f, -2, -3});
    CHECK(linear({weight.view, nullptr}, {1, 2}, Activation::kNone, {}) == Floats{3, 0, 6});
  }
}

TEST_CASE_FIXTURE(Reference, "reference linear: sums in double") {
  const Weight weight({1, 1, 1}, 1);
  CHECK(linear({weight.view, nullptr}, {1e9f, 1, -1e9f}, Activation::kNone, {}) == Floats{1});  // 0 in float32
}

TEST_CASE_FIXTURE(Reference, "reference add_layer_norm: biased variance, eps inside the root") {
  AddLayerNormArgs args;
  args.input = session.upload_matrix({1, 2, 3, 0}, 1, 4);
  args.residual = session.upload_matrix({0, 0, 0, 4}, 1, 4);
  args.weight = session.upload(Floats{1, 1, 1, 2});
  args.bias = session.upload(Floats{0, 0, 0, 10});
  args.eps = 0.31f;  // mean 2.5, variance 1.25: the root is sqrt(1.56)
  args.output = session.output_matrix(1, 4);
  backend.add_layer_norm(session.context(), args);
  const Floats output = session.download(args.output);
  const double root = std::sqrt(1.25 + 0.31f);
  const double wanted[] = {-1.5 / root, -0.5 / root, 0.5 / root, 10 + 2 * 1.5 / root};
  for (int i = 0; i < 4; ++i) CHECK(std::fabs(output[i] - wanted[i]) <= 0x1p-24 * std::fabs(wanted[i]));
}

TEST_CASE_FIXTURE(Reference, "reference embedding and gather_rows: sums of the rows that the ids name") {
  const Weight word({1, 2, 3, 4, 5, 6}, 3);
  const Weight position({10, 20, 30, 40}, 2, DType::kFloat16);
  const Weight type({100, 200, 300, 400}, 2, DType::kBFloat16);
  EmbeddingArgs embed;
  embed.word_embeddings = session.table(word.view);
  embed.position_embeddings = session.table(position.view);
  embed.token_type_embeddings = session.table(type.view);
  embed.input_ids = session.upload(std::vector<int32_t>{2, 0});
  embed.position_ids = session.upload(std::vector<int32_t>{0, 1});
  embed.token_type_ids = session.upload(std::vector<int32_t>{1, 0});
  embed.output = session.output_matrix(2, 2);
  backend.embedding(session.context(), embed);
  CHECK(session.download(embed.output) == Floats{315, 426, 131, 242});

  GatherRowsArgs gather;
  gather.source = embed.output;
  gather.rows = session.upload(std::vector<int32_t>{1, 0, 1});
  gather.table = embed.position_embeddings;
  gather.table_rows = session.upload(std::vector<int32_t>{1, 1, 0});
  gather.output = session.output_matrix(3, 2);
  backend.gather_rows(session.context(), gather);
  CHECK(session.download(gather.output) == Floats{161, 282, 345, 466, 141, 262});
}

TEST_CASE_FIXTURE(Reference, "reference conv1d: torch's cross-correlation, zeros beyond the ends of each sequence") {
  const Weight taps({1, 10, 100}, 1);
  const ConvWeight weight{taps.view, nullptr, 1, 3, 1};
  CHECK(conv(weight, {1, 2, 3}, {0, 3}) == Floats{210, 321, 32});
  CHECK(conv(weight, {1, 2, 3}, {0, 1, 3}) == Floats{10, 320, 32});
}

TEST_CASE_FIXTURE(Reference, "reference conv1d: groups see their own channels") {
  const Weight taps({1, 2, 3, 4, 5, 6, 7, 8}, 4);  // 4 channels, 2 groups, kernel 1
  const Floats bias = {0, 0, 0, 1};
  const ConvWeight weight{taps.view, bias.data(), 4, 1, 2};
  CHECK(conv(weight, {1, 10, 100, 1000}, {0, 1}) == Floats{21, 43, 6500, 8701});
}

TEST_CASE_FIXTURE(Reference, "reference tied_logits: input table^T + bias") {
  const Weight table({1, 2, 3, 4, 5, 6}, 3);
  TiedLogitsArgs args;
  args.input = session.upload_matrix({1, 1, 1, -1}, 2, 2);
  args.table = session.table(table.view);
  args.bias = session.upload(Floats{0, 0, 100});
  args.output = session.output_floats(6);
  backend.tied_logits(session.context(), args);
  CHECK(session.download_floats(args.output, 6) == Floats{3, 7, 111, -1, -1, 99});
}

}  // namespace deberta::test
