// The op suite: one table of cases that drives every backend through the op table and holds it to the reference.
// A library, so that any executable can run it on a backend of its own.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "session.h"
#include "tolerance.h"

namespace deberta::test {

/// One op with its sizes. Its tokens come in sequences, for ops that know none in blocks of rows: the results of each
/// must not depend on the others.
struct OpCase {
  std::string name;
  std::vector<int> lengths;  // of the sequences
  int64_t features = 0;      // the widest row that the op reads
  double work = 0;           // multiply-adds, about
  std::function<Outputs(Session&, const Batch&)> run;
  int num_heads = 0;
  int head_dim = 0;
  double condition = 1;  // by how much the op magnifies a relative rounding error (tolerance.h)
};

std::vector<OpCase> linear_cases();
std::vector<OpCase> row_cases();  // layer norm, embedding, gather, tied logits
std::vector<OpCase> conv_cases();
std::vector<OpCase> attention_cases();

struct SuiteOptions {
  ContextOptions context;
  DType storage = DType::kFloat32;  // what the backend stores or multiplies in: inputs and weights are rounded to it
  Tolerance tolerance;
  double max_work = 1e30;                // larger cases are left out
  std::string name_contains;             // other cases are left out
  std::vector<int> thread_counts = {1};  // results must have the same bits with each of them
};

struct SuiteReport {
  int run = 0;
  int left_out = 0;  // by max_work or name_contains
  std::vector<std::string> failures;
};

/// Runs every case on `backend`: close to the reference, the same bits with any number of threads and for every
/// sequence alone, in reverse order and among the others.
SuiteReport check_ops(const Backend& backend, const SuiteOptions& options);

/// The same as a doctest check per failure; at least one case must have run.
void run_op_suite(const Backend& backend, const SuiteOptions& options);

}  // namespace deberta::test
