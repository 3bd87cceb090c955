#include "model/outputs.h"

#include <limits>
#include <new>
#include <string>
#include <utility>

namespace deberta {

HostTensor make_tensor(std::vector<int64_t> dims, const char* what) {
  constexpr auto kMaxElements = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) / sizeof(float);
  uint64_t size = 1;
  for (const int64_t dim : dims) {
    const auto factor = static_cast<uint64_t>(dim);
    if (factor != 0 && size > kMaxElements / factor) {
      throw Error(ErrorCode::kOUT_OF_MEMORY, std::string(what) + ": its size overflows");
    }
    size *= factor;
  }
  HostTensor tensor;
  tensor.data.reset(new (std::nothrow) float[size]);
  if (!tensor.data) {
    throw Error(ErrorCode::kOUT_OF_MEMORY, std::string(what) + ": cannot allocate " + std::to_string(size) + " floats");
  }
  tensor.dims = std::move(dims);
  return tensor;
}

int64_t HostTensor::size() const {
  if (!data) return 0;
  int64_t size = 1;
  for (const int64_t dim : dims) size *= dim;
  return size;
}

void BatchOutputs::download_hidden(const Pass& pass, HostTensor& target) const {
  const Matrix hidden = pass.workspace.hidden();
  pass.ops().download_rows(pass.context(), target.data.get() + first_token_ * hidden.cols, hidden);
}

void BatchOutputs::hidden_state(const Pass& pass, int64_t index) const {
  if (request_.hidden_states) download_hidden(pass, result_.hidden_states[index]);
}

void BatchOutputs::last_hidden_state(const Pass& pass) const {
  if (request_.last_hidden_state) download_hidden(pass, result_.last_hidden_state);
}

void BatchOutputs::attentions(const Pass& pass, int64_t layer) const {
  if (!request_.attentions) return;
  const AttentionMaps& maps = pass.workspace.attention_maps();
  const int64_t heads = pass.config().num_attention_heads;
  for (int64_t s = 0; s < pass.batch.num_sequences; ++s) {
    const int64_t length = pass.batch.cu_seqlens[s + 1] - pass.batch.cu_seqlens[s];
    HostTensor map = make_tensor({heads, length, length}, "attentions");
    pass.ops().download(pass.context(), map.data.get(), maps.probabilities + maps.offsets[s],
                        static_cast<size_t>(map.size()) * sizeof(float));
    result_.attentions[layer][range_.begin + s] = std::move(map);
  }
}

}  // namespace deberta
