// Memory goes through the table of the backend, so that a device runs the same cases as the host.
#include "session.h"

#include <algorithm>
#include <limits>

#include "random.h"
#include "storage.h"

namespace deberta::test {

namespace {

constexpr float kGuard = -1024.0f;  // exact in every activation type, and far from every result

uint64_t hash(const std::string& tag) {
  uint64_t state = 1469598103934665603u;  // FNV-1a
  for (const char c : tag) state = (state ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return state;
}

int rows_of(const Batch& batch, int64_t i, const std::vector<int>& rows_by_sequence) {
  return rows_by_sequence.empty() ? batch.length(i) : rows_by_sequence[batch.order[i]];
}

}  // namespace

int64_t Batch::max_seqlen() const {
  int64_t longest = 0;
  for (const int s : order) longest = std::max<int64_t>(longest, lengths[s]);
  return longest;
}

std::vector<int32_t> Batch::cu_seqlens() const {
  std::vector<int32_t> cu{0};
  for (const int s : order) cu.push_back(cu.back() + lengths[s]);
  return cu;
}

Session::Session(const Backend& backend, const ContextOptions& options, DType storage, const WorkspaceShape& shape)
    : backend_(backend), context_(backend.create_context(options)), storage_(storage) {
  element_size_ = dtype_size(backend_.activation_dtype(context_));
  backend_.reserve(context_, shape);
}

Session::~Session() {
  for (auto release = releases_.rbegin(); release != releases_.rend(); ++release) (*release)();
  backend_.destroy_context(context_);
}

std::vector<float> Session::random(const std::string& tag, int64_t count, float scale) const {
  Random random(hash(tag));
  std::vector<float> values(count);
  for (float& value : values) value = round_to(storage_, static_cast<float>(random.bell() * scale));
  return values;
}

std::vector<float> Session::random_rows(const std::string& tag, const Batch& batch, int64_t cols, float scale,
                                        const std::vector<int>& rows_by_sequence) const {
  std::vector<float> values;
  for (int64_t i = 0; i < batch.num_sequences(); ++i) {
    const int64_t count = rows_of(batch, i, rows_by_sequence) * cols;
    const std::vector<float> block = random(tag + "/" + std::to_string(batch.order[i]), count, scale);
    values.insert(values.end(), block.begin(), block.end());
  }
  return values;
}

void* Session::allocate(size_t bytes) {
  void* memory = backend_.allocate(context_, bytes);
  releases_.emplace_back([this, memory] { backend_.deallocate(context_, memory); });
  if (reinterpret_cast<uintptr_t>(memory) % 64 != 0) fault_ = "allocate: the memory is not 64-byte aligned";
  return memory;
}

const float* Session::upload(const std::vector<float>& values) {
  void* memory = allocate(values.size() * sizeof(float));
  backend_.upload(context_, memory, values.data(), values.size() * sizeof(float));
  return static_cast<const float*>(memory);
}

const int32_t* Session::upload(const std::vector<int32_t>& values) {
  void* memory = allocate(values.size() * sizeof(int32_t));
  backend_.upload(context_, memory, values.data(), values.size() * sizeof(int32_t));
  return static_cast<const int32_t*>(memory);
}

const int64_t* Session::upload(const std::vector<int64_t>& values) {
  void* memory = allocate(values.size() * sizeof(int64_t));
  backend_.upload(context_, memory, values.data(), values.size() * sizeof(int64_t));
  return static_cast<const int64_t*>(memory);
}

Matrix Session::output_matrix(int64_t rows, int64_t cols, int64_t gap) {
  const int64_t stride = cols + gap;
  void* memory = allocate(static_cast<size_t>((rows + 1) * stride) * element_size_);
  std::vector<float> host((rows + 1) * stride, kGuard);
  for (int64_t r = 0; r < rows; ++r) {
    std::fill_n(host.begin() + r * stride, cols, std::numeric_limits<float>::quiet_NaN());
  }
  backend_.upload_rows(context_, {memory, rows + 1, stride, stride}, host.data());
  return {memory, rows, cols, stride};
}

Matrix Session::upload_matrix(const std::vector<float>& host, int64_t rows, int64_t cols, int64_t gap) {
  const Matrix matrix = output_matrix(rows, cols, gap);
  backend_.upload_rows(context_, matrix, host.data());
  return matrix;
}

float* Session::output_floats(int64_t count) {
  std::vector<float> host(count + 1, std::numeric_limits<float>::quiet_NaN());
  host.back() = kGuard;
  return const_cast<float*>(upload(host));
}

Matrix Session::slice(const Matrix& matrix, int64_t first, int64_t cols) const {
  return {static_cast<unsigned char*>(matrix.data) + first * element_size_, matrix.rows, cols, matrix.stride};
}

std::vector<float> Session::download(const Matrix& matrix) {
  std::vector<float> wide((matrix.rows + 1) * matrix.stride);
  backend_.download_rows(context_, wide.data(), {matrix.data, matrix.rows + 1, matrix.stride, matrix.stride});
  backend_.synchronize(context_);
  std::vector<float> values;
  for (int64_t i = 0; i < static_cast<int64_t>(wide.size()); ++i) {
    const bool inside = i / matrix.stride < matrix.rows && i % matrix.stride < matrix.cols;
    if (inside) {
      values.push_back(wide[i]);
    } else if (wide[i] != kGuard) {
      fault_ = "wrote beyond its output: row " + std::to_string(i / matrix.stride) + ", column " +
               std::to_string(i % matrix.stride);
    }
  }
  return values;
}

std::vector<float> Session::download_floats(const float* device, int64_t count) {
  std::vector<float> values(count + 1);
  backend_.download(context_, values.data(), device, values.size() * sizeof(float));
  backend_.synchronize(context_);
  if (values.back() != kGuard) fault_ = "wrote beyond its output: element " + std::to_string(count);
  values.pop_back();
  return values;
}

WeightView Session::weight(const std::string& tag, int64_t rows, int64_t cols, DType dtype, float scale) {
  const std::vector<float> values = random(tag, rows * cols, scale);
  std::vector<unsigned char>& bytes = weights_.emplace_back(1 + values.size() * dtype_size(dtype));
  for (size_t i = 0; i < values.size(); ++i) store(dtype, values[i], bytes.data() + 1 + i * dtype_size(dtype));
  return {bytes.data() + 1, dtype, rows, cols};
}

const PackedTable* Session::table(const WeightView& view) {
  PackedTable* packed = backend_.pack_table(context_, view);
  releases_.emplace_back([this, packed] { backend_.free_table(context_, packed); });
  return packed;
}

const PackedLinear* Session::linear(const std::vector<LinearPart>& parts) {
  PackedLinear* packed = backend_.pack_linear(context_, parts.data(), static_cast<int>(parts.size()));
  releases_.emplace_back([this, packed] { backend_.free_linear(context_, packed); });
  return packed;
}

const PackedConv* Session::conv(const ConvWeight& weight) {
  PackedConv* packed = backend_.pack_conv(context_, weight);
  releases_.emplace_back([this, packed] { backend_.free_conv(context_, packed); });
  return packed;
}

const PackedPositions* Session::positions(const PositionsArgs& args) {
  PackedPositions* packed = backend_.pack_positions(context_, args);
  releases_.emplace_back([this, packed] { backend_.free_positions(context_, packed); });
  return packed;
}

const float* Session::keep(std::vector<float> values) { return kept_.emplace_back(std::move(values)).data(); }

void append_rows(Outputs& outputs, const std::vector<float>& values, int64_t cols, const Batch& batch,
                 const std::vector<int>& rows_by_sequence) {
  outputs.resize(batch.order.size());
  auto from = values.begin();
  for (int64_t i = 0; i < batch.num_sequences(); ++i) {
    const auto to = from + rows_of(batch, i, rows_by_sequence) * cols;
    outputs[i].insert(outputs[i].end(), from, to);
    from = to;
  }
}

}  // namespace deberta::test
