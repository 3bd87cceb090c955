// A flag that another thread sets to stop a long operation. Looked at between layers and between texts.
#pragma once

#include <atomic>

#include "base/error.h"

namespace deberta {

class CancelToken {
 public:
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

  /// Throws ABORTED once cancelled.
  void check() const {
    if (cancelled()) throw Error(ErrorCode::kABORTED, "the operation was aborted");
  }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace deberta
