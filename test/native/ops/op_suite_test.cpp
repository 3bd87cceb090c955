// The op suite on the CPU backend, with the instruction set that DEBERTA_CPU_ISA forces or the best one; and the suite
// on backends with a known fault, which it has to find.
#include <cstdlib>
#include <string>

#include "backends/cpu/cpu_backend.h"
#include "backends/reference/reference_backend.h"
#include "doctest/doctest.h"
#include "op_cases.h"
#include "plain_backend.h"

namespace deberta::test {

namespace {

/// The ops of `plain_backend` with one of them replaced by a faulty one.
template <class Replace>
SuiteReport check_faulty(const std::string& op, Replace&& replace) {
  Backend faulty = plain_backend();
  replace(faulty);
  SuiteOptions options;
  options.name_contains = op;
  options.max_work = 1e6;
  return check_ops(faulty, options);
}

}  // namespace

TEST_CASE("the forced instruction set is the one that runs") {
  const char* forced = std::getenv("DEBERTA_CPU_ISA");
  const std::string wanted = forced && *forced ? forced : cpu_instruction_sets().front();
  CHECK(std::string(cpu_backend().detail) == wanted);
}

TEST_CASE("op suite: cpu") {
  SuiteOptions options;
  options.thread_counts = {1, 3};
  run_op_suite(cpu_backend(), options);
}

TEST_CASE("op suite: the plain loops pass it, and nothing is left out") {
  SuiteOptions options;
  options.max_work = 1e7;
  const SuiteReport report = check_ops(plain_backend(), options);
  CHECK(report.failures.empty());
  CHECK(report.run > 200);
}

TEST_CASE("op suite: finds a wrong distance") {
  const SuiteReport report = check_faulty("attention", [](Backend& faulty) {
    faulty.pack_positions = [](OpContext* context, const PositionsArgs& args) {
      PositionsArgs swapped = args;  // equation (4) of the paper: the second term reversed
      std::swap(swapped.pos_key, swapped.pos_query);
      return plain_backend().pack_positions(context, swapped);
    };
  });
  CHECK(report.failures.size() > 10);
}

TEST_CASE("op suite: finds a scale off by one part in a hundred thousand") {
  const SuiteReport report = check_faulty("attention", [](Backend& faulty) {
    faulty.disentangled_attention = [](OpContext* context, const AttentionArgs& args) noexcept {
      AttentionArgs scaled = args;
      scaled.scale *= 1.00001f;
      plain_backend().disentangled_attention(context, scaled);
    };
  });
  CHECK(report.failures.size() > 10);
}

TEST_CASE("op suite: finds rows that look at their neighbours") {
  const SuiteReport report = check_faulty("conv1d", [](Backend& faulty) {
    faulty.conv1d = [](OpContext* context, const ConvArgs& args) noexcept {
      ConvArgs joined = args;  // all sequences as one
      const int32_t ends[2] = {0, args.cu_seqlens[args.num_sequences]};
      joined.cu_seqlens = ends;
      joined.num_sequences = 1;
      plain_backend().conv1d(context, joined);
    };
  });
  CHECK(report.failures.size() > 10);
}

TEST_CASE("op suite: finds a forgotten residual, a forgotten row and a row too many") {
  CHECK_FALSE(check_faulty("linear, residual", [](Backend& faulty) {
                faulty.linear = [](OpContext* context, const LinearArgs& args) noexcept {
                  LinearArgs without = args;
                  without.residual = {};
                  plain_backend().linear(context, without);
                };
              }).failures.empty());
  CHECK_FALSE(check_faulty("add_layer_norm", [](Backend& faulty) {
                faulty.add_layer_norm = [](OpContext* context, const AddLayerNormArgs& args) noexcept {
                  AddLayerNormArgs fewer = args;
                  fewer.input.rows -= 1;
                  plain_backend().add_layer_norm(context, fewer);
                };
              }).failures.empty());
  CHECK_FALSE(check_faulty("gather_rows", [](Backend& faulty) {
                faulty.gather_rows = [](OpContext* context, const GatherRowsArgs& args) noexcept {
                  plain_backend().gather_rows(context, args);
                  static_cast<float*>(args.output.data)[args.output.rows * args.output.stride] = 1.0f;
                };
              }).failures.empty());
}

TEST_CASE("op suite: finds results that depend on the size of the batch") {
  const SuiteReport report = check_faulty("tied_logits", [](Backend& faulty) {
    faulty.tied_logits = [](OpContext* context, const TiedLogitsArgs& args) noexcept {
      plain_backend().tied_logits(context, args);
      if (args.input.rows > 4) args.output[0] = std::nextafter(args.output[0], 1e9f);  // one unit in the last place
    };
  });
  CHECK_FALSE(report.failures.empty());
}

}  // namespace deberta::test
