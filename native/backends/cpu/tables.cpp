// Rows by index out of tables that stay in the checkpoint's mapping.
#include "backends/cpu/tables.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/error.h"

namespace deberta {

namespace {

constexpr int64_t kRowsPerTask = 16;

/// body(row, worker) for every row, a few rows per task.
template <class Body>
void for_rows(const CpuContext& context, int64_t rows, int64_t cols, Body&& body) {
  const int64_t tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
  context.parallel_for_work(tasks, rows * cols * 4, [&](int64_t task, int worker) {
    const int64_t end = std::min(rows, (task + 1) * kRowsPerTask);
    for (int64_t r = task * kRowsPerTask; r < end; ++r) body(r, worker);
  });
}

float* row_of(const Matrix& matrix, int64_t r) { return static_cast<float*>(matrix.data) + r * matrix.stride; }
const float* row_of(const ConstMatrix& matrix, int64_t r) {
  return static_cast<const float*>(matrix.data) + r * matrix.stride;
}

}  // namespace

void copy_table_row(const Microkernels& kernels, const CpuTable& table, int64_t r, float* to) {
  const std::byte* from = table.row(r);
  if (table.view.dtype == DType::kFloat32) {
    std::memcpy(to, from, static_cast<size_t>(table.view.cols) * sizeof(float));
  } else {
    const auto widen = table.view.dtype == DType::kFloat16 ? kernels.widen_f16 : kernels.widen_bf16;
    widen(reinterpret_cast<const uint16_t*>(from), table.view.cols, to);
  }
}

void add_table_row(const Microkernels& kernels, const CpuTable& table, int64_t r, float* scratch, float* to) {
  copy_table_row(kernels, table, r, scratch);
  kernels.add(scratch, table.view.cols, to);
}

PackedTable* cpu_pack_table(OpContext*, const WeightView& table) {
  if (table.dtype == DType::kInt8) {
    throw Error(ErrorCode::kINVALID_ARGUMENT, "an embedding table must be float32, float16 or bfloat16, got int8");
  }
  return reinterpret_cast<PackedTable*>(new CpuTable{table});
}

void cpu_free_table(OpContext*, PackedTable* packed) { delete reinterpret_cast<CpuTable*>(packed); }

void cpu_embedding(OpContext* op_context, const EmbeddingArgs& args) noexcept {
  CpuContext& context = as_cpu(op_context);
  const Microkernels& kernels = *context.kernels;
  for_rows(context, args.output.rows, args.output.cols, [&](int64_t r, int worker) {
    float* to = row_of(args.output, r);
    float* scratch = reinterpret_cast<float*>(context.scratch(worker));
    copy_table_row(kernels, own(args.word_embeddings), args.input_ids[r], to);
    if (args.position_embeddings != nullptr) {
      add_table_row(kernels, own(args.position_embeddings), args.position_ids[r], scratch, to);
    }
    if (args.token_type_embeddings != nullptr) {
      add_table_row(kernels, own(args.token_type_embeddings), args.token_type_ids[r], scratch, to);
    }
  });
}

void cpu_gather_rows(OpContext* op_context, const GatherRowsArgs& args) noexcept {
  CpuContext& context = as_cpu(op_context);
  for_rows(context, args.output.rows, args.output.cols, [&](int64_t r, int worker) {
    float* to = row_of(args.output, r);
    std::memcpy(to, row_of(args.source, args.rows[r]), static_cast<size_t>(args.output.cols) * sizeof(float));
    if (args.table != nullptr) {
      float* scratch = reinterpret_cast<float*>(context.scratch(worker));
      add_table_row(*context.kernels, own(args.table), args.table_rows[r], scratch, to);
    }
  });
}

}  // namespace deberta
