// The driver of the op suite: runs each case and compares. What the cases are: cases_*.cpp; how close: tolerance.h.
#include "op_cases.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "backends/reference/reference_backend.h"
#include "base/error.h"
#include "doctest/doctest.h"
#include "plain_backend.h"

namespace deberta::test {

namespace {

// float32's own accuracy on these sizes. The plain loops must have it, or the yardstick would be worth nothing.
constexpr double kPlainAccuracy = 2e-5;

class CaseRun {
 public:
  CaseRun(const OpCase& op_case, const Backend& backend, const SuiteOptions& options, SuiteReport& report)
      : case_(op_case), backend_(backend), options_(options), report_(report) {}

  void check() {
    const Outputs got = run(backend_, options_.context, everything(), "");
    compare_with_reference(got);
    for (size_t i = 1; i < options_.thread_counts.size(); ++i) {
      ContextOptions context = options_.context;
      context.threads = options_.thread_counts[i];
      expect_same_bits(got, everything(), run(backend_, context, everything(), "threads"),
                       "with " + std::to_string(context.threads) + " threads");
    }
    if (case_.lengths.size() < 2) return;
    std::vector<int> reversed = everything();
    std::reverse(reversed.begin(), reversed.end());
    expect_same_bits(got, reversed, run(backend_, options_.context, reversed, "reversed"), "in reverse order");
    for (const int s : everything()) {
      expect_same_bits(got, {s}, run(backend_, options_.context, {s}, "alone"), "alone");
    }
  }

 private:
  std::vector<int> everything() const {
    std::vector<int> order(case_.lengths.size());
    std::iota(order.begin(), order.end(), 0);
    return order;
  }

  Outputs run(const Backend& backend, const ContextOptions& context, const std::vector<int>& order,
              const std::string& what) {
    const Batch batch{case_.lengths, order};
    const WorkspaceShape shape{.total_tokens = batch.total_tokens(),
                               .max_seqlen = batch.max_seqlen(),
                               .num_sequences = batch.num_sequences(),
                               .max_features = case_.features,
                               .num_heads = case_.num_heads,
                               .head_dim = case_.head_dim};
    try {
      Session session(backend, context, options_.storage, shape);
      Outputs outputs = case_.run(session, batch);
      if (!session.fault().empty()) fail(what, session.fault());
      return outputs;
    } catch (const Error& error) {
      fail(what, std::string(error_code_name(error.code())) + ": " + error.what());
      return Outputs(order.size());
    }
  }

  void compare_with_reference(const Outputs& got) {
    const ContextOptions float32{};
    const Outputs wanted = run(reference_backend(), float32, everything(), "reference");
    const Outputs plain = run(plain_backend(), float32, everything(), "plain");
    for (const int s : everything()) {
      const std::string sequence = "sequence " + std::to_string(s);
      if (deviation(plain[s], wanted[s]).largest > kPlainAccuracy * magnitude(wanted[s]).largest) {
        fail(sequence, "the plain float32 loops and the reference disagree");
      }
    }
    const std::string difference =
        compare(concatenated(got), concatenated(plain), concatenated(wanted), case_.condition, options_.tolerance);
    if (!difference.empty()) fail("against the reference", difference);
  }

  static std::vector<float> concatenated(const Outputs& outputs) {
    std::vector<float> all;
    for (const auto& output : outputs) all.insert(all.end(), output.begin(), output.end());
    return all;
  }

  /// `again` holds the sequences `order`; `outputs` all of them.
  void expect_same_bits(const Outputs& outputs, const std::vector<int>& order, const Outputs& again,
                        const std::string& what) {
    for (size_t i = 0; i < order.size(); ++i) {
      const std::vector<float>& first = outputs[order[i]];
      const std::vector<float>& second = again[i];
      if (first.size() == second.size() &&
          (first.empty() || std::memcmp(first.data(), second.data(), first.size() * sizeof(float)) == 0)) {
        continue;
      }
      fail(what, "sequence " + std::to_string(order[i]) + " of length " + std::to_string(case_.lengths[order[i]]) +
                     " has other bits");
    }
  }

  void fail(const std::string& what, const std::string& message) {
    report_.failures.push_back(case_.name + (what.empty() ? "" : ", " + what) + ": " + message);
  }

  const OpCase& case_;
  const Backend& backend_;
  const SuiteOptions& options_;
  SuiteReport& report_;
};

}  // namespace

SuiteReport check_ops(const Backend& backend, const SuiteOptions& options) {
  SuiteReport report;
  for (const auto& cases : {linear_cases(), row_cases(), conv_cases(), attention_cases()}) {
    for (const OpCase& op_case : cases) {
      if (op_case.work > options.max_work || op_case.name.find(options.name_contains) == std::string::npos) {
        ++report.left_out;
        continue;
      }
      ++report.run;
      CaseRun(op_case, backend, options, report).check();
    }
  }
  return report;
}

void run_op_suite(const Backend& backend, const SuiteOptions& options) {
  const SuiteReport report = check_ops(backend, options);
  CHECK(report.run > 0);
  const std::string name = std::string(backend.name) + " " + backend.detail;
  for (const std::string& failure : report.failures) FAIL_CHECK(name << ": " << failure);
  MESSAGE(name << ": " << report.run << " op cases, " << report.left_out << " left out");
}

}  // namespace deberta::test
