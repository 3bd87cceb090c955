// Which LayerNorm kernel a row length gets.
#include "backends/cuda/launch.h"
#include "backends/cuda/layer_norm.cuh"
#include "backends/cuda/layer_norm.h"
#include "backends/cuda/types.h"

namespace deberta::cuda {

namespace {

template <class T>
bool even_rows(const LayerNormShape<T>& shape) {
  const uintptr_t addresses = reinterpret_cast<uintptr_t>(shape.input) | reinterpret_cast<uintptr_t>(shape.residual) |
                              reinterpret_cast<uintptr_t>(shape.output);
  const uintptr_t parameters = reinterpret_cast<uintptr_t>(shape.weight) | reinterpret_cast<uintptr_t>(shape.bias);
  const int64_t strides = shape.features | shape.input_stride | shape.residual_stride | shape.output_stride;
  return addresses % 4 == 0 && parameters % 8 == 0 && strides % 2 == 0;
}

template <class T>
void (*choose_kernel(const LayerNormShape<T>& shape))(LayerNormShape<T>) {
  const int64_t features = shape.features;
  if constexpr (sizeof(T) == 2) {
    if (even_rows(shape)) {
      if (features <= 256) return layer_norm_pairs_kernel<T, 4>;
      if (features <= 768) return layer_norm_pairs_kernel<T, 12>;
      if (features <= 1024) return layer_norm_pairs_kernel<T, 16>;
      if (features <= 1536) return layer_norm_pairs_kernel<T, 24>;
    }
  }
  if (features <= 256) return layer_norm_kernel<T, 8>;
  if (features <= 1024) return layer_norm_kernel<T, 32>;
  return layer_norm_long_kernel<T>;
}

}  // namespace

void add_layer_norm(OpContext* context, const AddLayerNormArgs& args) noexcept {
  Context& self = own(context);
  if (args.input.rows == 0) return;
  with_type(self.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    LayerNormShape<T> shape{};
    shape.input = static_cast<const T*>(args.input.data);
    shape.residual = static_cast<const T*>(args.residual.data);
    shape.output = static_cast<T*>(args.output.data);
    shape.weight = args.weight;
    shape.bias = args.bias;
    shape.input_stride = args.input.stride;
    shape.residual_stride = args.residual.stride;
    shape.output_stride = args.output.stride;
    shape.rows = args.input.rows;
    shape.features = args.input.cols;
    shape.eps = args.eps;
    launch(self, "add_layer_norm", choose_kernel(shape),
           {dim3{blocks_for(shape.rows, kLayerNormWarps)}, dim3{32 * kLayerNormWarps}}, shape);
  });
}

}  // namespace deberta::cuda
