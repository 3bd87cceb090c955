// One layer of the encoder, in place: attention, output projection, LayerNorm, feed-forward, LayerNorm (post-LN).
#pragma once

#include <cstdint>

#include "model/pass.h"

namespace deberta {

/// hidden = Layer(hidden), every token. Writes the workspace's attention maps where there are any.
void run_encoder_layer(const Pass& pass, const PackedLayer& layer, const Matrix& hidden);

/// k and v of every token for run_encoder_layer_on_rows: [total_tokens, 2 * all_head_size], from the arena.
Matrix project_key_value(const Pass& pass, const PackedLayer& layer, const ConstMatrix& hidden);

/// query = Layer(kv, query) for the selected rows alone: queries, residuals and feed-forward are of `query`
/// [selected rows, hidden_size], keys and values of all tokens.
void run_encoder_layer_on_rows(const Pass& pass, const PackedLayer& layer, const Matrix& key_value,
                               const Matrix& query);

}  // namespace deberta
