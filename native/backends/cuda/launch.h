// One kernel launch as an op makes it: the arguments are copied, the launch is run or recorded, errors stick.
#pragma once

#include <cstring>
#include <type_traits>

#include "backends/cuda/context.h"
#include "backends/cuda/device.cuh"

namespace deberta::cuda {

struct LaunchShape {
  dim3 grid, block;
  size_t shared_bytes = 0;
};

/// Lets `function` have `bytes` of dynamic shared memory. False, with the error stuck, where it cannot.
bool allow_shared_bytes(Context& context, const char* op, const void* function, size_t bytes);

template <class... P>
void launch(Context& context, const char* op, void (*kernel)(P...), const LaunchShape& shape,
            const std::type_identity_t<P>&... args) {
  static_assert((std::is_trivially_copyable_v<P> && ...));
  if (context.failed) return;
  context.use_device();
  const void* function = kernel_entry(kernel, op);
  if (!allow_shared_bytes(context, op, function, shape.shared_bytes)) return;
  CommandSequence& pending = context.commands->pending();
  const Command command{function,
                        op,
                        shape.grid,
                        shape.block,
                        static_cast<uint32_t>(shape.shared_bytes),
                        static_cast<uint32_t>(pending.argument_offsets.size()),
                        sizeof...(P)};
  (std::memcpy(pending.add_argument(sizeof(P)), &args, sizeof(P)), ...);
  context.fail(context.commands->submit(command));
}

inline unsigned blocks_for(int64_t work, int64_t per_block) {
  return static_cast<unsigned>((work + per_block - 1) / per_block);
}

}  // namespace deberta::cuda
