// Takes tensors out of a checkpoint by name: checks presence, shape and dtype, converts what has to be float32, and
// remembers what was read. Which names there are is in weight_names.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "io/checkpoint.h"
#include "ops/tensor.h"

namespace deberta {

/// A matrix on the host and what keeps it alive: usually the file's mapping.
struct HostMatrix {
  WeightView view;  // [rows, cols]
  std::shared_ptr<const void> owner;

  explicit operator bool() const { return view.data != nullptr; }
};

class WeightReader {
 public:
  using Names = std::vector<std::string>;  // alternatives: the first that the checkpoint has is taken

  /// `checkpoint` must outlive the reader; matrices keep their own file alive.
  explicit WeightReader(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  bool has(const Names& names) const { return find(names) != nullptr; }

  /// First dimension of the tensor. Throws WEIGHT_MISSING, WEIGHT_SHAPE for a scalar.
  int64_t rows(const Names& names) const;

  /// A float matrix in the dtype of the file, unconverted (float64 becomes float32). `shape` may have more than two
  /// dimensions: the view has shape[0] rows. Throws WEIGHT_MISSING naming every alternative, WEIGHT_SHAPE with both
  /// shapes, or for integers.
  HostMatrix matrix(const Names& names, const std::vector<int64_t>& shape);

  /// The same, copied to float32.
  std::vector<float> values(const Names& names, const std::vector<int64_t>& shape);

  /// Names that were not read, sorted.
  std::vector<std::string> unread() const;

  const Checkpoint& checkpoint() const { return checkpoint_; }
  int64_t elements_read() const { return elements_read_; }
  int64_t bytes_read() const { return bytes_read_; }

 private:
  const CheckpointTensor* find(const Names& names) const;
  const CheckpointTensor& at(const Names& names) const;
  const CheckpointTensor& take(const Names& names, const std::vector<int64_t>& shape);

  const Checkpoint& checkpoint_;
  std::unordered_set<const CheckpointTensor*> read_;
  int64_t elements_read_ = 0;
  int64_t bytes_read_ = 0;
};

}  // namespace deberta
