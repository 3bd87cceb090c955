// Walks one batch through embeddings and layers, and no further than somebody looks.
#pragma once

#include "base/cancel.h"
#include "model/outputs.h"
#include "model/pass.h"

namespace deberta {

/// What the pass must leave behind.
struct EncoderPlan {
  bool every_token = false;    // workspace.hidden() after the last layer
  bool selected_rows = false;  // workspace.selected_hidden(): the selected rows after the last layer ...
  bool mask_decoder = false;   // ... or after the enhanced mask decoder instead
};

/// Runs the batch that workspace was prepared for. Looks at `cancel` before every layer.
void run_encoder(const Pass& pass, const EncoderPlan& plan, const BatchOutputs& outputs, const CancelToken& cancel);

}  // namespace deberta
