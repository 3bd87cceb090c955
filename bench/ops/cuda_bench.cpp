// Encoder layers of DeBERTa-v3 through the CUDA op table with random weights: `deberta_cuda_bench [device]`. No
// checkpoint, no Node. Three tables: one layer at 16,384 tokens cut into sequences of 128 to 8192 (the attention block
// alone, which is what published kernels report, and the whole layer); whole encoders at 32 x 512; one sequence alone.
//
// Times are of the clock on the wall between two waits for the device: many layers in one wait for throughput, a wait
// per forward for latency. Operations are counted as the least that the formula needs, 2 per multiply-add.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "backends/cuda/backend.h"

namespace {

using namespace deberta;

struct Shape {
  const char* name;
  int layers;
  int64_t hidden, intermediate;
  int heads;
};
constexpr Shape kBase = {"v3-base", 12, 768, 3072, 12};
constexpr Shape kLarge = {"v3-large", 24, 1024, 4096, 16};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// 256 logarithmic buckets over 512 positions, rows for distances -512 to 512 (microsoft/DeBERTa da_utils).
std::vector<int32_t> bucket_rows() {
  std::vector<int32_t> rows;
  for (int32_t d = -512; d <= 512; ++d) {
    const double steps = std::log(std::max(std::abs(d), 128) / 128.0) / std::log(511 / 128.0) * 127;
    const int32_t bucket = std::abs(d) <= 128 ? d : (d > 0 ? 1 : -1) * (static_cast<int32_t>(std::ceil(steps)) + 128);
    rows.push_back(std::clamp(bucket + 256, 0, 511));
  }
  return rows;
}

/// One layer's weights, used for every layer of an encoder: the device reads them from memory each time all the same,
/// unless they fit its cache, which is why `copies` differ.
class Encoder {
 public:
  Encoder(const Backend& backend, OpContext* context, const Shape& shape, int64_t tokens)
      : backend_(backend), context_(context), shape_(shape), tokens_(tokens) {
    const int copies = std::min(shape.layers, 4);
    for (int i = 0; i < copies; ++i) {
      qkv_.push_back(pack({shape.hidden, shape.hidden, shape.hidden}, shape.hidden));
      out_.push_back(pack({shape.hidden}, shape.hidden));
      up_.push_back(pack({shape.intermediate}, shape.hidden));
      down_.push_back(pack({shape.hidden}, shape.intermediate));
    }
    hidden_ = matrix(tokens, shape.hidden);
    projected_ = matrix(tokens, 3 * shape.hidden);
    attended_ = matrix(tokens, shape.hidden);
    summed_ = matrix(tokens, shape.hidden);
    inner_ = matrix(tokens, shape.intermediate);
    backend.upload_rows(context, hidden_, random(tokens * shape.hidden, 1.0f).data());
    const std::vector<float> ones(shape.hidden, 1.0f), zeros(shape.hidden, 0.0f);
    norm_weight_ = upload(ones.data(), ones.size() * sizeof(float));
    norm_bias_ = upload(zeros.data(), zeros.size() * sizeof(float));
    cu_seqlens_ = static_cast<int32_t*>(backend.allocate(context, (tokens + 1) * sizeof(int32_t)));
    pack_positions();
  }

  /// Cuts the tokens into sequences of `length`.
  void cut(int64_t length) {
    length_ = length;
    std::vector<int32_t> cu;
    for (int64_t at = 0; at <= tokens_; at += length) cu.push_back(static_cast<int32_t>(at));
    sequences_ = static_cast<int64_t>(cu.size()) - 1;
    backend_.upload(context_, cu_seqlens_, cu.data(), cu.size() * sizeof(int32_t));
    backend_.reserve(context_, {tokens_, length, sequences_, shape_.intermediate, shape_.heads, 64});
  }

  void attention_block(int layer) {
    const size_t i = layer % qkv_.size();
    backend_.linear(context_, {hidden_, qkv_[i], 0, 3, Activation::kNone, {}, projected_});
    AttentionArgs args;
    args.query = slice(0);
    args.key = slice(1);
    args.value = slice(2);
    args.positions = positions_;
    args.cu_seqlens = cu_seqlens_;
    args.num_sequences = sequences_;
    args.max_seqlen = length_;
    args.num_heads = shape_.heads;
    args.head_dim = 64;
    args.scale = 1.0f / std::sqrt(64.0f * 3);
    args.output = attended_;
    backend_.disentangled_attention(context_, args);
    backend_.linear(context_, {attended_, out_[i], 0, 1, Activation::kNone, hidden_, summed_});
  }

  void layer(int index) {
    const size_t i = index % qkv_.size();
    attention_block(index);
    backend_.add_layer_norm(context_, {summed_, {}, norm_weight_, norm_bias_, 1e-7f, attended_});
    backend_.linear(context_, {attended_, up_[i], 0, 1, Activation::kGelu, {}, inner_});
    backend_.linear(context_, {inner_, down_[i], 0, 1, Activation::kNone, attended_, summed_});
    backend_.add_layer_norm(context_, {summed_, {}, norm_weight_, norm_bias_, 1e-7f, hidden_});
  }

  /// Of one layer: products with weights, and per query 4 products with the keys and tables it cannot avoid.
  double operations() const {
    const double t = tokens_, h = shape_.hidden;
    const double near = std::min<double>(length_, 512);
    return 2 * t * h * (4 * h + 2 * shape_.intermediate) + 2 * t * h * (2 * length_ + 2 * near);
  }

 private:
  std::vector<float> random(int64_t count, float scale) {
    std::normal_distribution<float> bell(0.0f, scale);
    std::vector<float> values(count);
    for (float& value : values) value = bell(generator_);
    return values;
  }

  PackedLinear* pack(const std::vector<int64_t>& outputs, int64_t inputs) {
    std::vector<std::vector<float>> values;
    std::vector<LinearPart> parts;
    for (const int64_t rows : outputs) {
      values.push_back(random(rows * inputs, 1.0f / std::sqrt(static_cast<float>(inputs))));
      parts.push_back({{values.back().data(), DType::kFloat32, rows, inputs}, nullptr});
    }
    return backend_.pack_linear(context_, parts.data(), static_cast<int>(parts.size()));
  }

  void pack_positions() {
    const Matrix key = matrix(512, shape_.hidden), query = matrix(512, shape_.hidden);
    backend_.upload_rows(context_, key, random(512 * shape_.hidden, 1.0f).data());
    backend_.upload_rows(context_, query, random(512 * shape_.hidden, 1.0f).data());
    const std::vector<int32_t> rows = bucket_rows();
    positions_ = backend_.pack_positions(context_, {key, query, {rows.data(), 512, 512}, shape_.heads, 64});
  }

  Matrix matrix(int64_t rows, int64_t cols) { return {backend_.allocate(context_, rows * cols * 2), rows, cols, cols}; }

  ConstMatrix slice(int part) const {
    return {static_cast<unsigned char*>(projected_.data) + part * shape_.hidden * 2, tokens_, shape_.hidden,
            3 * shape_.hidden};
  }

  float* upload(const float* values, size_t bytes) {
    void* memory = backend_.allocate(context_, bytes);
    backend_.upload(context_, memory, values, bytes);
    return static_cast<float*>(memory);
  }

  const Backend& backend_;
  OpContext* context_;
  Shape shape_;
  int64_t tokens_, length_ = 0, sequences_ = 0;
  std::mt19937 generator_{17};
  std::vector<PackedLinear*> qkv_, out_, up_, down_;
  PackedPositions* positions_ = nullptr;
  Matrix hidden_, projected_, attended_, summed_, inner_;
  float *norm_weight_ = nullptr, *norm_bias_ = nullptr;
  int32_t* cu_seqlens_ = nullptr;
};

/// Median seconds of one `work()`, of nine rounds with `repeats` of them between two waits, after a warm-up.
template <class Work>
double seconds(const Backend& backend, OpContext* context, int repeats, Work work) {
  std::vector<double> times;
  for (int round = -2; round < 9; ++round) {
    backend.synchronize(context);
    const double start = now();
    for (int i = 0; i < repeats; ++i) work(i);
    backend.synchronize(context);
    if (round >= 0) times.push_back((now() - start) / repeats);
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

void bench_layers(const Backend& backend, OpContext* context) {
  std::printf("\none layer of %s, 16384 tokens, bfloat16\n%8s %14s %10s %12s\n", kBase.name, "length", "attention ms",
              "layer ms", "TFLOP/s");
  Encoder encoder(backend, context, kBase, 16384);
  for (const int64_t length : {128, 512, 1024, 2048, 4096, 8192}) {
    encoder.cut(length);
    const double attention = seconds(backend, context, 20, [&](int i) { encoder.attention_block(i); });
    const double layer = seconds(backend, context, 20, [&](int i) { encoder.layer(i); });
    std::printf("%8d %14.3f %10.3f %12.1f\n", static_cast<int>(length), attention * 1e3, layer * 1e3,
                encoder.operations() / layer / 1e12);
  }
}

void bench_encoder(const Backend& backend, OpContext* context, const Shape& shape, int64_t sequences, int64_t length) {
  Encoder encoder(backend, context, shape, sequences * length);
  encoder.cut(length);
  const double time = seconds(backend, context, 1, [&](int) {
    for (int i = 0; i < shape.layers; ++i) encoder.layer(i);
  });
  std::printf("%-10s %3d x %-5d %10.3f ms %10.0f tokens/s %8.1f TFLOP/s\n", shape.name, static_cast<int>(sequences),
              static_cast<int>(length), time * 1e3, sequences * length / time,
              encoder.operations() * shape.layers / time / 1e12);
}

}  // namespace

int main(int argc, char** argv) {
  ContextOptions options;
  options.compute_dtype = DType::kBFloat16;
  options.device_index = argc > 1 ? std::atoi(argv[1]) : 0;
  const Backend backend = cuda::make_backend("bench");
  OpContext* context = backend.create_context(options);
  bench_layers(backend, context);
  std::printf("\nwhole encoders, bfloat16\n");
  for (const Shape& shape : {kBase, kLarge}) bench_encoder(backend, context, shape, 32, 512);
  for (const int64_t length : {16, 128, 512, 32768}) bench_encoder(backend, context, kBase, 1, length);
  std::fflush(stdout);
  std::_Exit(0);  // the driver takes the memory back
}
