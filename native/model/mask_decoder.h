// The last layer for some rows only: once where a head looks at few tokens, twice as the enhanced mask decoder (EMD),
// which asks with the absolute position added. Paper, section 3.2 and A.8; microsoft/DeBERTa masked_language_model.py.
#pragma once

#include "model/pass.h"

namespace deberta {

/// The output of the last layer at the selected rows, from the input `hidden` [total_tokens, hidden_size] of that
/// layer, which stays as it is: workspace.selected_hidden() [selected rows, hidden_size].
void run_last_layer_on_rows(const Pass& pass, const ConstMatrix& hidden);

/// The same through the enhanced mask decoder: q = hidden + position_embeddings, then twice q = LastLayer(kv = hidden,
/// q).
void run_mask_decoder(const Pass& pass, const ConstMatrix& hidden);

}  // namespace deberta
