// One context of a backend with the memory and weights that a case puts there; everything is freed with it. What a case
// makes depends on its tags and its sequences alone, so every backend is handed the same numbers.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "ops/ops.h"

namespace deberta::test {

/// The sequences of one run: some of a case's, in some order.
struct Batch {
  std::vector<int> lengths;  // of every sequence of the case, by its number
  std::vector<int> order;    // the numbers of those that run, in the order they lie in

  int64_t num_sequences() const { return static_cast<int64_t>(order.size()); }
  int length(int64_t i) const { return lengths[order[i]]; }
  int64_t max_seqlen() const;
  std::vector<int32_t> cu_seqlens() const;
  int64_t total_tokens() const { return cu_seqlens().back(); }
};

/// One vector per sequence of the batch: all that the op wrote for it.
using Outputs = std::vector<std::vector<float>>;

class Session {
 public:
  /// `storage`: what inputs and weights are rounded to, so that every backend can hold them exactly.
  Session(const Backend& backend, const ContextOptions& options, DType storage, const WorkspaceShape& shape);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Backend& backend() const { return backend_; }
  OpContext* context() const { return context_; }
  DType storage() const { return storage_; }

  // Random host data, bell-shaped around 0 times `scale`, rounded to the storage type.
  std::vector<float> random(const std::string& tag, int64_t count, float scale) const;
  /// [total rows, cols]: the rows of a sequence depend on its number alone. `rows` of each sequence: its length if
  /// empty.
  std::vector<float> random_rows(const std::string& tag, const Batch& batch, int64_t cols, float scale,
                                 const std::vector<int>& rows_by_sequence = {}) const;

  // Device memory.
  const float* upload(const std::vector<float>& values);
  const int32_t* upload(const std::vector<int32_t>& values);
  const int64_t* upload(const std::vector<int64_t>& values);
  /// A copy of `host` [rows, cols] whose rows lie cols + `gap` elements apart.
  Matrix upload_matrix(const std::vector<float>& host, int64_t rows, int64_t cols, int64_t gap = 0);
  /// A matrix to write: NaN inside, a known value in the gap and in one more row behind the last.
  Matrix output_matrix(int64_t rows, int64_t cols, int64_t gap = 0);
  float* output_floats(int64_t count);

  /// Columns [first, first + cols) of `matrix`.
  Matrix slice(const Matrix& matrix, int64_t first, int64_t cols) const;

  /// Reads an output back and checks that nothing was written outside of it.
  std::vector<float> download(const Matrix& matrix);
  std::vector<float> download_floats(const float* device, int64_t count);

  // Weights, stored as `dtype`, one byte off every alignment; values as `random`.
  WeightView weight(const std::string& tag, int64_t rows, int64_t cols, DType dtype, float scale);
  const PackedTable* table(const WeightView& view);
  const PackedLinear* linear(const std::vector<LinearPart>& parts);
  const PackedConv* conv(const ConvWeight& weight);
  const PackedPositions* positions(const PositionsArgs& args);
  /// Host memory that lives as long as the session.
  const float* keep(std::vector<float> values);

  /// Set where an op wrote beyond its output.
  const std::string& fault() const { return fault_; }

 private:
  void* allocate(size_t bytes);

  const Backend& backend_;
  OpContext* context_;
  DType storage_;
  size_t element_size_;  // of an activation on this backend
  std::deque<std::function<void()>> releases_;
  std::deque<std::vector<unsigned char>> weights_;
  std::deque<std::vector<float>> kept_;
  std::string fault_;
};

/// Cuts `values` [total rows, cols] into the sequences of the batch.
void append_rows(Outputs& outputs, const std::vector<float>& values, int64_t cols, const Batch& batch,
                 const std::vector<int>& rows_by_sequence = {});

}  // namespace deberta::test
