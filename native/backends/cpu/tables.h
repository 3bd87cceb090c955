// Embedding tables and everything that reads rows by index: embedding, gather_rows, tied_logits. See ops/ops.h.
#pragma once

#include "backends/cpu/context.h"
#include "ops/ops.h"

namespace deberta {

/// A table is the mapping itself: rows are widened where they are used.
struct CpuTable {
  WeightView view;  // [rows, cols]

  const std::byte* row(int64_t r) const {
    return static_cast<const std::byte*>(view.data) +
           static_cast<size_t>(r) * static_cast<size_t>(view.cols) * dtype_size(view.dtype);
  }
};

inline const CpuTable& own(const PackedTable* packed) { return *reinterpret_cast<const CpuTable*>(packed); }

/// to[0 .. cols) = row r in float32. `to` needs no alignment.
void copy_table_row(const Microkernels& kernels, const CpuTable& table, int64_t r, float* to);

/// to[0 .. cols) += row r; `scratch` has room for cols floats.
void add_table_row(const Microkernels& kernels, const CpuTable& table, int64_t r, float* scratch, float* to);

PackedTable* cpu_pack_table(OpContext* context, const WeightView& table);
void cpu_free_table(OpContext* context, PackedTable* packed);
void cpu_embedding(OpContext* context, const EmbeddingArgs& args) noexcept;
void cpu_gather_rows(OpContext* context, const GatherRowsArgs& args) noexcept;
void cpu_tied_logits(OpContext* context, const TiedLogitsArgs& args) noexcept;

}  // namespace deberta
