// The last linear layer that most heads end with.
#pragma once

#include "model/heads/head.h"

namespace deberta {

/// logits = head_classifier(input), downloaded: [input rows, logits_width].
inline void download_classifier(const Pass& pass, const ConstMatrix& input, float* logits) {
  const Matrix output = pass.matrix(input.rows, logits_width(pass.model));
  pass.linear(pass.model.head_classifier, input, output);
  pass.ops().download_rows(pass.context(), logits, output);
}

}  // namespace deberta
