// The switch between stacks, once in assembly and once by ucontext.
#include "fiber.h"

#include <cstdint>
#include <vector>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace deberta::emulation {

namespace {
constexpr size_t kStackBytes = 192 << 10;  // wide register arrays of unrolled kernels live here
}

#if defined(__x86_64__)

// Saves the callee-saved registers of the System V ABI on the old stack and takes them from the new one.
extern "C" void deberta_emulation_switch(void** save_stack, void* load_stack);
asm(R"(
.text
.globl deberta_emulation_switch
.type deberta_emulation_switch, @function
deberta_emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size deberta_emulation_switch, .-deberta_emulation_switch
.section .note.GNU-stack,"",@progbits
.text
)");

struct Fiber::State {
  std::unique_ptr<char[]> stack;
  size_t colour = 0;
  void* top = nullptr;
};

void Fiber::prepare(void (*entry)()) {
  if (!state_->stack) {
    static size_t made = 0;
    state_->stack.reset(new char[kStackBytes]);
    state_->colour = made++ % 61 * 1088;  // stacks that all end in the same cache set would evict each other
  }
  auto base = reinterpret_cast<uintptr_t>(state_->stack.get() + kStackBytes - state_->colour) & ~uintptr_t{63};
  auto* words = reinterpret_cast<void**>(base);
  words[-1] = nullptr;                         // the return address of `entry`: it has none
  words[-2] = reinterpret_cast<void*>(entry);  // what `ret` pops; rsp is then 8 below a multiple of 16, as after a call
  for (int i = 3; i <= 8; ++i) words[-i] = nullptr;  // the six saved registers
  state_->top = words - 8;
}

void Fiber::switch_to(Fiber& from) { deberta_emulation_switch(&from.state_->top, state_->top); }

#else

struct Fiber::State {
  std::unique_ptr<char[]> stack;
  ucontext_t context;
};

void Fiber::prepare(void (*entry)()) {
  if (!state_->stack) state_->stack.reset(new char[kStackBytes]);
  getcontext(&state_->context);
  state_->context.uc_stack.ss_sp = state_->stack.get();
  state_->context.uc_stack.ss_size = kStackBytes;
  state_->context.uc_link = nullptr;
  makecontext(&state_->context, entry, 0);
}

void Fiber::switch_to(Fiber& from) { swapcontext(&from.state_->context, &state_->context); }

#endif

Fiber::Fiber() : state_(new State) {}
Fiber::~Fiber() = default;
Fiber::Fiber(Fiber&&) noexcept = default;
Fiber& Fiber::operator=(Fiber&&) noexcept = default;

}  // namespace deberta::emulation
