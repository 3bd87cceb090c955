// One stack per emulated GPU thread and the switch between them. On x86-64 a switch is a dozen instructions; elsewhere
// ucontext does the same work slowly.
#pragma once

#include <cstddef>
#include <memory>

namespace deberta::emulation {

/// A suspended flow of control. A default-made fiber stands for the caller's own stack.
class Fiber {
 public:
  Fiber();
  ~Fiber();
  Fiber(Fiber&&) noexcept;
  Fiber& operator=(Fiber&&) noexcept;

  /// Makes the next switch_to() call `entry`, which must never return, on a fresh stack.
  void prepare(void (*entry)());
  /// Suspends the running flow into `from` and resumes this one.
  void switch_to(Fiber& from);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace deberta::emulation
