// The input of the first layer: LayerNorm(embed_proj(word + position + token type)).
#pragma once

#include "model/pass.h"

namespace deberta {

/// Fills workspace.hidden() [total_tokens, hidden_size].
void run_embeddings(const Pass& pass);

}  // namespace deberta
