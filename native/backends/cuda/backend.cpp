// Fills the op table. Where each op lives: context, packed, rows, gemm, layer_norm, attention.
#include "backends/cuda/backend.h"

#include "backends/cuda/attention.h"
#include "backends/cuda/context.h"
#include "backends/cuda/gemm.h"
#include "backends/cuda/layer_norm.h"
#include "backends/cuda/packed.h"
#include "backends/cuda/rows.h"

namespace deberta::cuda {

Backend make_backend(const char* detail) {
  Backend backend{};
  backend.name = "cuda";
  backend.detail = detail;
  backend.create_context = create_context;
  backend.destroy_context = destroy_context;
  backend.reserve = reserve;
  backend.allocate = allocate;
  backend.deallocate = deallocate;
  backend.upload = upload;
  backend.upload_rows = upload_rows;
  backend.download_rows = download_rows;
  backend.download = download;
  backend.synchronize = synchronize;
  backend.activation_dtype = activation_dtype;
  backend.rows_at_once = rows_at_once;
  backend.pack_linear = pack_linear;
  backend.pack_conv = pack_conv;
  backend.pack_table = pack_table;
  backend.pack_positions = pack_positions;
  backend.free_linear = free_linear;
  backend.free_conv = free_conv;
  backend.free_table = free_table;
  backend.free_positions = free_positions;
  backend.packed_bytes = packed_bytes;
  backend.embedding = embedding;
  backend.linear = linear;
  backend.add_layer_norm = add_layer_norm;
  backend.disentangled_attention = disentangled_attention;
  backend.conv1d = conv1d;
  backend.gather_rows = gather_rows;
  backend.tied_logits = tied_logits;
  return backend;
}

}  // namespace deberta::cuda
