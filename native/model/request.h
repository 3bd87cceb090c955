// What a forward request must satisfy before anything runs, and the tokens its head will look at.
#pragma once

#include <cstdint>
#include <vector>

#include "model/model.h"
#include "model/packed_model.h"

namespace deberta {

/// Throws INVALID_ARGUMENT (naming sequence, index and value), SEQUENCE_TOO_LONG, or UNSUPPORTED_CONFIG where the mask
/// decoder is forced on a model that cannot run it.
void check_request(const ForwardRequest& request, const PackedModel& model);

/// Whether the logits of the request come from the enhanced mask decoder.
bool uses_mask_decoder(const ForwardRequest& request, const PackedModel& model);

/// Per sequence the positions that the head looks at: 0 for heads of the first token; for masked LMs request.positions,
/// or where they are not given every `mask_token_id`. Empty for other heads and without logits. Throws INVALID_ARGUMENT
/// where there is no mask token to look for, SEQUENCE_TOO_LONG where the mask decoder has no position embedding for
/// one.
std::vector<std::vector<int32_t>> head_positions(const ForwardRequest& request, const PackedModel& model,
                                                 int32_t mask_token_id);

}  // namespace deberta
