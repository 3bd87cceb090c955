// The reference attention against the formula of the released code written a second time: whole matrices per head, both
// position terms as products with the full tables and a gather, the index by its formula for every pair.
#include <cmath>

#include "backends/reference/reference_backend.h"
#include "doctest/doctest.h"
#include "relative_index.h"
#include "session.h"

namespace deberta::test {

namespace {

/// A matrix of doubles [rows, cols].
struct Dense {
  Dense(int64_t rows, int64_t cols) : rows(rows), cols(cols), values(rows * cols) {}
  double& operator()(int64_t r, int64_t c) { return values[r * cols + c]; }
  double operator()(int64_t r, int64_t c) const { return values[r * cols + c]; }
  int64_t rows, cols;
  std::vector<double> values;
};

/// Columns [first, first + cols) of float rows `width` wide.
Dense columns(const std::vector<float>& values, int64_t width, int64_t first, int64_t cols) {
  Dense part(static_cast<int64_t>(values.size()) / width, cols);
  for (int64_t r = 0; r < part.rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) part(r, c) = values[r * width + first + c];
  }
  return part;
}

Dense times_transposed(const Dense& a, const Dense& b) {
  Dense product(a.rows, b.rows);
  for (int64_t i = 0; i < a.rows; ++i) {
    for (int64_t j = 0; j < b.rows; ++j) {
      for (int64_t k = 0; k < a.cols; ++k) product(i, j) += a(i, k) * b(j, k);
    }
  }
  return product;
}

struct Problem {
  int length = 0;
  int num_heads = 1;
  int head_dim = 4;
  int32_t buckets = 0;       // 0: clamped at `span`
  int32_t max_position = 0;  // of the buckets
  int32_t span = 0;
  bool c2p = true;
  bool p2c = true;

  int64_t width() const { return static_cast<int64_t>(num_heads) * head_dim; }
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(head_dim * (1 + c2p + p2c))); }
  int32_t half() const { return buckets > 0 ? buckets : span; }  // att_span

  int64_t table_row(int64_t i, int64_t j) const {
    const auto distance = static_cast<int32_t>(i - j);
    const int32_t relative = buckets > 0 ? log_bucket(distance, buckets, max_position) : distance;
    return std::clamp(relative + half(), 0, 2 * half() - 1);
  }
};

struct Operands {
  std::vector<float> query, key, value;   // [length, width]
  std::vector<float> pos_key, pos_query;  // [2 * half, width]
};

struct Answer {
  std::vector<double> context;        // [length, width]
  std::vector<double> probabilities;  // [num_heads, length, length]
};

Answer second_formula(const Problem& problem, const Operands& x) {
  const int64_t n = problem.length;
  Answer answer{std::vector<double>(n * problem.width()), {}};
  for (int h = 0; h < problem.num_heads; ++h) {
    const auto head = [&](const std::vector<float>& values) {
      return columns(values, problem.width(), static_cast<int64_t>(h) * problem.head_dim, problem.head_dim);
    };
    Dense scores = times_transposed(head(x.query), head(x.key));
    const Dense c2p = times_transposed(head(x.query), head(x.pos_key));  // [n, 2 * half], gathered along columns
    const Dense p2c = times_transposed(head(x.pos_query), head(x.key));  // [2 * half, n], gathered along rows
    for (int64_t i = 0; i < n; ++i) {
      double sum = 0.0;
      for (int64_t j = 0; j < n; ++j) {
        if (problem.c2p) scores(i, j) += c2p(i, problem.table_row(i, j));
        if (problem.p2c) scores(i, j) += p2c(problem.table_row(i, j), j);
        scores(i, j) = std::exp(scores(i, j) * problem.scale());  // scores are small here
        sum += scores(i, j);
      }
      for (int64_t j = 0; j < n; ++j) {
        answer.probabilities.push_back(scores(i, j) / sum);
        for (int c = 0; c < problem.head_dim; ++c) {
          const int64_t column = static_cast<int64_t>(h) * problem.head_dim + c;
          answer.context[i * problem.width() + column] += scores(i, j) / sum * x.value[j * problem.width() + column];
        }
      }
    }
  }
  return answer;
}

Operands make_operands(const Session& session, const Problem& problem) {
  const int64_t count = problem.length * problem.width();
  const int64_t table = 2 * problem.half() * problem.width();
  return {session.random("query", count, 1.0f), session.random("key", count, 1.0f),
          session.random("value", count, 1.0f), session.random("pos_key", table, 1.0f),
          session.random("pos_query", table, 1.0f)};
}

AttentionArgs make_args(Session& session, const Problem& problem, const Operands& x, const IndexRows& index) {
  const auto matrix = [&](const std::vector<float>& values) {
    return session.upload_matrix(values, static_cast<int64_t>(values.size()) / problem.width(), problem.width());
  };
  PositionsArgs positions;
  if (problem.c2p) positions.pos_key = matrix(x.pos_key);
  if (problem.p2c) positions.pos_query = matrix(x.pos_query);
  positions.index = {index.rows.data(), index.max_distance, index.num_rows};
  positions.num_heads = problem.num_heads;
  positions.head_dim = problem.head_dim;

  AttentionArgs args;
  args.query = matrix(x.query);
  args.key = matrix(x.key);
  args.value = matrix(x.value);
  args.positions = problem.c2p || problem.p2c ? session.positions(positions) : nullptr;
  args.cu_seqlens = session.upload(std::vector<int32_t>{0, problem.length});
  args.num_sequences = 1;
  args.max_seqlen = problem.length;
  args.num_heads = problem.num_heads;
  args.head_dim = problem.head_dim;
  args.scale = problem.scale();
  return args;
}

IndexRows index_of(const Problem& problem) {
  return problem.buckets > 0 ? log_buckets(problem.buckets, problem.max_position) : clamped(problem.span);
}

WorkspaceShape shape_of(const Problem& problem) {
  WorkspaceShape shape;
  shape.max_seqlen = problem.length;
  shape.num_heads = problem.num_heads;
  return shape;
}

void check_close(const std::vector<float>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  double largest = 0.0;
  double magnitude = 0.0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    largest = std::max(largest, std::fabs(got[i] - wanted[i]));
    magnitude = std::max(magnitude, std::fabs(wanted[i]));
  }
  CHECK(largest <= 0x1p-24 * magnitude);  // one rounding to float32
}

void check_problem(const Problem& problem) {
  Session session(reference_backend(), {}, DType::kFloat32, shape_of(problem));
  const Operands x = make_operands(session, problem);
  const Answer wanted = second_formula(problem, x);
  AttentionArgs args = make_args(session, problem, x, index_of(problem));
  const int64_t map_size = static_cast<int64_t>(problem.num_heads) * problem.length * problem.length;
  args.output = session.output_matrix(problem.length, problem.width());
  args.probabilities = session.output_floats(map_size);
  args.probability_offsets = session.upload(std::vector<int64_t>{0});
  session.backend().disentangled_attention(session.context(), args);
  check_close(session.download(args.output), wanted.context);
  check_close(session.download_floats(args.probabilities, map_size), wanted.probabilities);
}

}  // namespace

TEST_CASE("reference attention: the second formula, clamped distances") {
  for (const int length : {1, 2, 17, 113}) {
    for (const int32_t span : {1, 5, 200}) {
      CAPTURE(length);
      CAPTURE(span);
      check_problem({.length = length, .num_heads = 3, .span = span});
    }
  }
}

TEST_CASE("reference attention: the second formula, logarithmic buckets, beyond their reach too") {
  for (const int length : {1, 2, 17, 113}) {
    CAPTURE(length);
    check_problem({.length = length, .num_heads = 2, .head_dim = 16, .buckets = 8, .max_position = 32});
  }
  check_problem({.length = 600, .buckets = 256, .max_position = 512});
}

TEST_CASE("reference attention: the second formula, either term and neither") {
  for (const bool c2p : {true, false}) {
    for (const bool p2c : {true, false}) {
      check_problem(
          {.length = 40, .num_heads = 2, .head_dim = 8, .buckets = 8, .max_position = 32, .c2p = c2p, .p2c = p2c});
    }
  }
}

TEST_CASE("reference attention: decoder queries stand where query_positions says") {
  const Problem problem{.length = 30, .num_heads = 2, .head_dim = 8, .buckets = 4, .max_position = 16};
  Session session(reference_backend(), {}, DType::kFloat32, shape_of(problem));
  const Operands x = make_operands(session, problem);
  const Answer wanted = second_formula(problem, x);
  const std::vector<int32_t> asked = {0, 7, 8, 29};
  std::vector<float> some_queries;
  std::vector<double> some_wanted;
  for (const int32_t i : asked) {
    some_queries.insert(some_queries.end(), x.query.begin() + i * problem.width(),
                        x.query.begin() + (i + 1) * problem.width());
    some_wanted.insert(some_wanted.end(), wanted.context.begin() + i * problem.width(),
                       wanted.context.begin() + (i + 1) * problem.width());
  }
  AttentionArgs args = make_args(session, problem, x, index_of(problem));
  args.query = session.upload_matrix(some_queries, 4, problem.width());
  args.query_cu_seqlens = session.upload(std::vector<int32_t>{0, 4});
  args.query_positions = session.upload(asked);
  args.output = session.output_matrix(4, problem.width());
  session.backend().disentangled_attention(session.context(), args);
  check_close(session.download(args.output), some_wanted);
}

TEST_CASE("reference attention: talking heads that swap two heads swap their maps") {
  const Problem problem{.length = 9, .num_heads = 2, .span = 3};
  Session session(reference_backend(), {}, DType::kFloat32, shape_of(problem));
  const Operands x = make_operands(session, problem);
  std::vector<double> wanted = second_formula(problem, x).probabilities;
  const int64_t map = static_cast<int64_t>(problem.length) * problem.length;
  std::rotate(wanted.begin(), wanted.begin() + map, wanted.end());  // head 1, head 0
  for (double& value : wanted) value *= 3.0;                        // head_weights_proj is 3 times the identity

  AttentionArgs args = make_args(session, problem, x, index_of(problem));
  args.head_logits_proj = session.upload(std::vector<float>{0, 1, 1, 0});
  args.head_weights_proj = session.upload(std::vector<float>{3, 0, 0, 3});
  args.output = session.output_matrix(problem.length, problem.width());
  args.probabilities = session.output_floats(2 * map);
  args.probability_offsets = session.upload(std::vector<int64_t>{0});
  session.backend().disentangled_attention(session.context(), args);
  check_close(session.download_floats(args.probabilities, 2 * map), wanted);
}

TEST_CASE("reference attention: talking heads sum over the second index of their matrix") {
  const Problem problem{.length = 5, .num_heads = 2, .span = 3};
  Session session(reference_backend(), {}, DType::kFloat32, shape_of(problem));
  const Operands x = make_operands(session, problem);
  const std::vector<double> maps = second_formula(problem, x).probabilities;
  std::vector<double> wanted;  // torch Linear(num_heads, num_heads): out[g] = sum over h of W[g, h] in[h]
  for (int k = 0; k < 25; ++k) wanted.push_back(1 * maps[k] + 2 * maps[25 + k]);
  for (int k = 0; k < 25; ++k) wanted.push_back(4 * maps[k] + 8 * maps[25 + k]);
  AttentionArgs args = make_args(session, problem, x, index_of(problem));
  args.head_weights_proj = session.upload(std::vector<float>{1, 2, 4, 8});
  args.output = session.output_matrix(problem.length, problem.width());
  args.probabilities = session.output_floats(50);
  args.probability_offsets = session.upload(std::vector<int64_t>{0});
  session.backend().disentangled_attention(session.context(), args);
  check_close(session.download_floats(args.probabilities, 50), wanted);
}

}  // namespace deberta::test
