// y[t, o] = activation(b[o] + sum over c and k of W[o, c, k] x[t + k - kernel_size / 2, c]), c over the channels of o's
// group, k over the taps; x is zero outside the sequence (microsoft/DeBERTa bert.py ConvLayer, torch Conv1d).
#include <utility>

#include "backends/reference/context.h"
#include "backends/reference/functions.h"
#include "backends/reference/values.h"

namespace deberta::reference {

namespace {

/// One output element of the sequence whose rows are [begin, end) of `input`.
double convolve(const Conv& conv, const ConstMatrix& input, int64_t begin, int64_t end, int64_t t, int64_t o) {
  const int64_t group_channels = conv.channels / conv.groups;
  const int64_t first_channel = o / group_channels * group_channels;
  double sum = conv.bias.empty() ? 0.0 : conv.bias[o];
  for (int64_t c = 0; c < group_channels; ++c) {
    for (int64_t k = 0; k < conv.kernel_size; ++k) {
      const int64_t source = t + k - conv.kernel_size / 2;
      if (source < begin || source >= end) continue;
      sum += at(conv.weight, o, c * conv.kernel_size + k) * row(input, source)[first_channel + c];
    }
  }
  return sum;
}

}  // namespace

PackedConv* pack_conv(OpContext* context, const ConvWeight& weight) {
  std::vector<float> bias;
  if (weight.bias) bias.assign(weight.bias, weight.bias + weight.channels);
  const size_t bytes = bias.size() * sizeof(float);
  return reinterpret_cast<PackedConv*>(
      new Conv{weight.weight, std::move(bias), weight.channels, weight.kernel_size, weight.groups, {context, bytes}});
}

void free_conv(OpContext*, PackedConv* packed) { delete reinterpret_cast<Conv*>(packed); }

void conv1d(OpContext*, const ConvArgs& args) noexcept {
  const Conv& conv = own(args.weight);
  for (int64_t s = 0; s < args.num_sequences; ++s) {
    for (int64_t t = args.cu_seqlens[s]; t < args.cu_seqlens[s + 1]; ++t) {
      for (int64_t o = 0; o < conv.channels; ++o) {
        const double sum = convolve(conv, args.input, args.cu_seqlens[s], args.cu_seqlens[s + 1], t, o);
        row(args.output, t)[o] = static_cast<float>(activate(args.activation, sum));
      }
    }
  }
}

}  // namespace deberta::reference
