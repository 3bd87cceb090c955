// The convolution of v2-xlarge and v2-xxlarge: nearby tokens' embeddings are added to the first layer's output.
#pragma once

#include "model/pass.h"

namespace deberta {

/// conv_act(Conv1d(embeddings)) [total_tokens, hidden_size], from the arena. Before the first layer overwrites them.
Matrix run_conv(const Pass& pass, const ConstMatrix& embeddings);

/// hidden = LayerNorm(hidden + conv): after the first layer.
void add_conv(const Pass& pass, const ConstMatrix& conv, const Matrix& hidden);

}  // namespace deberta
