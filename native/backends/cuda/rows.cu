// Launches of the row kernels, and the ops and transfers that are made of them.
#include "backends/cuda/elementwise.cuh"
#include "backends/cuda/launch.h"
#include "backends/cuda/packed.h"
#include "backends/cuda/rows.h"
#include "backends/cuda/types.h"

namespace deberta::cuda {

namespace {

constexpr int kThreads = 256;

LaunchShape per_element(int64_t elements) { return {dim3{blocks_for(elements, kThreads)}, dim3{kThreads}}; }

GatherTerm table_term(const PackedTable* packed, const int32_t* rows) {
  if (!packed) return {nullptr, nullptr, 0};
  return {own(packed).data, rows, own(packed).pitch};
}

/// A temporary in device memory that outlives the launches that were made on it: freed by the stream's own order, as
/// the pool hands it out again only to later work of the same context.
struct Temporary {
  Temporary(OpContext* context, size_t bytes) : context(context), data(allocate(context, bytes)) {}
  ~Temporary() { deallocate(context, data); }
  OpContext* context;
  void* data;
};

}  // namespace

void copy_rows(Context& context, const char* op, const void* in, DType from, void* out, DType to,
               const CopyShape& shape) {
  const int64_t elements = shape.rows * shape.out_cols;
  if (elements == 0) return;
  with_type(from, [&](auto from_tag) {
    with_type(to, [&](auto to_tag) {
      using In = typename decltype(from_tag)::Type;
      using Out = typename decltype(to_tag)::Type;
      launch(context, op, copy_kernel<In, Out>, per_element(elements), static_cast<const In*>(in),
             static_cast<Out*>(out), shape);
    });
  });
}

void gather_sum(Context& context, const char* op, const GatherTerm& a, const GatherTerm& b, const GatherTerm& c,
                const Matrix& output) {
  const int64_t elements = output.rows * output.cols;
  if (elements == 0) return;
  with_type(context.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    launch(context, op, gather_sum_kernel<T>, per_element(elements), a, b, c, static_cast<T*>(output.data),
           output.stride, output.rows, output.cols);
  });
}

void neighbours(Context& context, const void* input, const int32_t* cu_seqlens, void* columns, int64_t pitch,
                const NeighbourShape& shape) {
  const int64_t elements = shape.num_tokens * shape.kernel_size * shape.channels;
  with_type(context.dtype, [&](auto tag) {
    using T = typename decltype(tag)::Type;
    launch(context, "conv1d", neighbours_kernel<T>, per_element(elements), static_cast<const T*>(input), cu_seqlens,
           static_cast<T*>(columns), pitch, shape);
  });
}

void embedding(OpContext* context, const EmbeddingArgs& args) noexcept {
  gather_sum(own(context), "embedding", table_term(args.word_embeddings, args.input_ids),
             table_term(args.position_embeddings, args.position_ids),
             table_term(args.token_type_embeddings, args.token_type_ids), args.output);
}

void gather_rows(OpContext* context, const GatherRowsArgs& args) noexcept {
  gather_sum(own(context), "gather_rows", {args.source.data, args.rows, args.source.stride},
             table_term(args.table, args.table_rows), {nullptr, nullptr, 0}, args.output);
}

void upload_rows(OpContext* context, const Matrix& device, const float* host) {
  Context& self = own(context);
  const Temporary plain(context, device.rows * device.cols * sizeof(float));
  upload(context, plain.data, host, device.rows * device.cols * sizeof(float));
  copy_rows(self, "upload_rows", plain.data, DType::kFloat32, device.data, self.dtype,
            {device.rows, device.cols, device.cols, device.stride, device.cols});
}

void download_rows(OpContext* context, float* host, const ConstMatrix& device) {
  Context& self = own(context);
  const Temporary plain(context, device.rows * device.cols * sizeof(float));
  copy_rows(self, "download_rows", device.data, self.dtype, plain.data, DType::kFloat32,
            {device.rows, device.cols, device.stride, device.cols, device.cols});
  download(context, host, plain.data, device.rows * device.cols * sizeof(float));
}

}  // namespace deberta::cuda
