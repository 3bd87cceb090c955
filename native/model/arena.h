// A stack of activations in device memory: what one layer needs lies where the one before had it. It learns its size: a
// pass that needs more than there is takes further blocks, and the next pass finds one block as large as they were
// together. It forgets too: memory that only a rare long request needed is given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/device.h"
#include "ops/tensor.h"

namespace deberta {

class Arena {
 public:
  explicit Arena(const Device& device) : device_(device) {}

  /// Empties the stack: a pass begins. Nothing taken before may be in use.
  void reset();

  /// After so many passes that took less than a quarter of the memory, all of them together, the rest goes.
  static constexpr int kPassesToForget = 64;

  /// `bytes` of memory, 64-byte aligned, until the innermost Scope ends. Throws OUT_OF_MEMORY.
  void* allocate(size_t bytes);

  /// A matrix in the activation dtype of the device; stride == cols.
  Matrix matrix(int64_t rows, int64_t cols);

  /// Gives back, at its end, what was taken since its beginning.
  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), block_(arena.block_), offset_(arena.offset_), used_(arena.used_) {}
    ~Scope() {
      arena_.block_ = block_;
      arena_.offset_ = offset_;
      arena_.used_ = used_;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    size_t block_;
    size_t offset_;
    size_t used_;
  };

 private:
  const Device& device_;
  std::vector<DeviceBuffer> blocks_;
  size_t block_ = 0;        // the block that is being filled
  size_t offset_ = 0;       // its first free byte
  size_t used_ = 0;         // bytes taken, in all blocks
  size_t peak_ = 0;         // most bytes taken at once that are not forgotten
  size_t recent_peak_ = 0;  // most bytes taken at once in the last `recent_passes_`
  int recent_passes_ = 0;
};

}  // namespace deberta
