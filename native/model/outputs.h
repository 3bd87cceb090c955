// Takes what a request asked for out of a batch's forward pass and puts it where it belongs in the result.
#pragma once

#include <cstdint>

#include "model/model.h"
#include "model/pass.h"

namespace deberta {

/// Uninitialised float32 of these dimensions. Throws OUT_OF_MEMORY naming `what`.
HostTensor make_tensor(std::vector<int64_t> dims, const char* what);

/// The outputs of one batch. Every function does nothing where its output was not asked for.
class BatchOutputs {
 public:
  /// `range`: the batch's sequences; `first_token`: of theirs among all tokens of the request.
  BatchOutputs(const ForwardRequest& request, ForwardResult& result, const BatchRange& range, int64_t first_token)
      : request_(request), result_(result), range_(range), first_token_(first_token) {}

  /// Index 0: the embeddings; i: the output of layer i - 1, convolution included.
  void hidden_state(const Pass& pass, int64_t index) const;
  void last_hidden_state(const Pass& pass) const;
  void attentions(const Pass& pass, int64_t layer) const;

 private:
  void download_hidden(const Pass& pass, HostTensor& target) const;

  const ForwardRequest& request_;
  ForwardResult& result_;
  BatchRange range_;
  int64_t first_token_;
};

}  // namespace deberta
