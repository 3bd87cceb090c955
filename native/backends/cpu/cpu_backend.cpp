// Which instruction set runs, and the op table for each.
#include "backends/cpu/cpu_backend.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "backends/cpu/attention.h"
#include "backends/cpu/context.h"
#include "backends/cpu/context_ops.h"
#include "backends/cpu/conv1d.h"
#include "backends/cpu/isa_list.h"
#include "backends/cpu/layer_norm.h"
#include "backends/cpu/linear.h"
#include "backends/cpu/tables.h"

namespace deberta {

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::vector<std::string> dtypes_of(const Microkernels& kernels) {
  std::vector<std::string> dtypes = {"float32"};
  if (kernels.bf16.gemm.tile_rows > 0) dtypes.emplace_back("bfloat16");
  if (kernels.int8.gemm.tile_rows > 0) dtypes.emplace_back("int8");
  return dtypes;
}

OpContext* create_context(const Microkernels& kernels, const ContextOptions& options) {
  const std::vector<std::string> dtypes = dtypes_of(kernels);
  const std::string wanted = dtype_name(options.compute_dtype);
  if (std::find(dtypes.begin(), dtypes.end(), wanted) == dtypes.end()) {
    throw Error(ErrorCode::kBACKEND_UNAVAILABLE, "the CPU backend cannot compute in " + wanted +
                                                     " with instruction set " + kernels.name +
                                                     "; it can in: " + joined(dtypes));
  }
  if (options.threads < 0) {
    throw Error(ErrorCode::kINVALID_ARGUMENT, "threads must be >= 0, got " + std::to_string(options.threads));
  }
  auto context = std::make_unique<CpuContext>();
  context->kernels = &kernels;
  context->pool = ThreadPool::shared();
  context->threads =
      options.threads == 0 ? context->pool->threads() : std::min(options.threads, context->pool->threads());
  context->compute_dtype = options.compute_dtype;
  context->caches = cpu_caches();
  return reinterpret_cast<OpContext*>(context.release());
}

/// A backend per instruction set: create_context has no other way to know which one was asked for.
template <size_t kIndex>
const Backend& backend_of() {
  static const Backend backend = {
      .name = "cpu",
      .detail = instruction_sets()[kIndex].kernels.name,
      .create_context =
          [](const ContextOptions& options) { return create_context(instruction_sets()[kIndex].kernels, options); },
      .destroy_context = cpu_destroy_context,
      .reserve = cpu_reserve,
      .allocate = cpu_allocate,
      .deallocate = cpu_deallocate,
      .upload = cpu_upload,
      .upload_rows = cpu_upload_rows,
      .download_rows = cpu_download_rows,
      .download = cpu_download,
      .synchronize = cpu_synchronize,
      .activation_dtype = cpu_activation_dtype,
      .rows_at_once = cpu_rows_at_once,
      .pack_linear = cpu_pack_linear,
      .pack_conv = cpu_pack_conv,
      .pack_table = cpu_pack_table,
      .pack_positions = cpu_pack_positions,
      .free_linear = cpu_free_linear,
      .free_conv = cpu_free_conv,
      .free_table = cpu_free_table,
      .free_positions = cpu_free_positions,
      .packed_bytes = cpu_packed_bytes,
      .embedding = cpu_embedding,
      .linear = cpu_linear,
      .add_layer_norm = cpu_add_layer_norm,
      .disentangled_attention = cpu_disentangled_attention,
      .conv1d = cpu_conv1d,
      .gather_rows = cpu_gather_rows,
      .tied_logits = cpu_tied_logits,
  };
  return backend;
}

template <size_t... kIndices>
const Backend& backend_at(size_t index, std::index_sequence<kIndices...>) {
  constexpr std::array kBackends = {backend_of<kIndices>...};
  return kBackends[index]();
}

constexpr size_t kMaxInstructionSets = 8;  // room in backend_at; entries beyond the list are never called

}  // namespace

std::vector<std::string> cpu_instruction_sets() {
  std::vector<std::string> names;
  for (const InstructionSet& isa : instruction_sets()) {
    if (isa.supported) names.emplace_back(isa.kernels.name);
  }
  return names;
}

const Backend& cpu_backend(const std::string& isa) {
  const auto& all = instruction_sets();
  for (size_t i = 0; i < all.size(); ++i) {
    if (isa.empty() ? !all[i].supported : isa != all[i].kernels.name) continue;
    if (all[i].supported) return backend_at(i, std::make_index_sequence<kMaxInstructionSets>());
    throw Error(ErrorCode::kBACKEND_UNAVAILABLE,
                "this CPU cannot run instruction set \"" + isa + "\"; it can run: " + joined(cpu_instruction_sets()));
  }
  throw Error(ErrorCode::kINVALID_ARGUMENT,
              "unknown instruction set \"" + isa + "\"; this CPU can run: " + joined(cpu_instruction_sets()));
}

const Backend& cpu_backend() {
  const char* forced = std::getenv("DEBERTA_CPU_ISA");
  return cpu_backend(forced == nullptr ? "" : forced);
}

std::vector<std::string> cpu_compute_dtypes(const Backend& backend) {
  for (const InstructionSet& isa : instruction_sets()) {
    if (backend.detail == isa.kernels.name) return dtypes_of(isa.kernels);
  }
  return {};
}

}  // namespace deberta
