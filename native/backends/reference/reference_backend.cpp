// The table of the reference backend; the functions are declared in functions.h and documented in ops/ops.h.
#include "backends/reference/reference_backend.h"

#include "backends/reference/functions.h"

namespace deberta {

const Backend& reference_backend() {
  static const Backend backend = {
      .name = "reference",
      .detail = "double accumulation",
      .create_context = reference::create_context,
      .destroy_context = reference::destroy_context,
      .reserve = reference::reserve,
      .allocate = reference::allocate,
      .deallocate = reference::deallocate,
      .upload = reference::upload,
      .upload_rows = reference::upload_rows,
      .download_rows = reference::download_rows,
      .download = reference::download,
      .synchronize = reference::synchronize,
      .activation_dtype = reference::activation_dtype,
      .rows_at_once = reference::rows_at_once,
      .pack_linear = reference::pack_linear,
      .pack_conv = reference::pack_conv,
      .pack_table = reference::pack_table,
      .pack_positions = reference::pack_positions,
      .free_linear = reference::free_linear,
      .free_conv = reference::free_conv,
      .free_table = reference::free_table,
      .free_positions = reference::free_positions,
      .packed_bytes = reference::packed_bytes,
      .embedding = reference::embedding,
      .linear = reference::linear,
      .add_layer_norm = reference::add_layer_norm,
      .disentangled_attention = reference::disentangled_attention,
      .conv1d = reference::conv1d,
      .gather_rows = reference::gather_rows,
      .tied_logits = reference::tied_logits,
  };
  return backend;
}

}  // namespace deberta
