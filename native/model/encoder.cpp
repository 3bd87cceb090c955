// Source: transformers DebertaV2Encoder; hidden state 0 is the embeddings, state 1 has the convolution added.
#include "model/encoder.h"

#include "model/conv_layer.h"
#include "model/embeddings.h"
#include "model/encoder_layer.h"
#include "model/mask_decoder.h"

namespace deberta {

namespace {

/// The first layer, with the convolution of its input beside it where there is one.
void run_first_layer(const Pass& pass, const Matrix& hidden) {
  const Arena::Scope scope(pass.workspace.arena());
  ConstMatrix conv;
  if (pass.model.conv) conv = run_conv(pass, hidden);
  run_encoder_layer(pass, pass.model.layers.front(), hidden);
  if (pass.model.conv) add_conv(pass, conv, hidden);
}

/// The last layer at the selected rows, from its input.
void run_last_layer(const Pass& pass, bool mask_decoder, const ConstMatrix& hidden) {
  if (mask_decoder) {
    run_mask_decoder(pass, hidden);
  } else {
    run_last_layer_on_rows(pass, hidden);
  }
}

/// The selected rows of a matrix that holds every token.
void gather_selected(const Pass& pass, const ConstMatrix& hidden) {
  GatherRowsArgs args;
  args.source = hidden;
  args.rows = pass.workspace.batch().selected.rows;
  args.output = pass.workspace.selected_hidden();
  pass.ops().gather_rows(pass.context(), args);
}

}  // namespace

void run_encoder(const Pass& pass, const EncoderPlan& plan, const BatchOutputs& outputs, const CancelToken& cancel) {
  const auto num_layers = static_cast<int64_t>(pass.model.layers.size());
  const Matrix hidden = pass.workspace.hidden();
  // A convolution after the only layer needs every row of that layer.
  const bool conv_is_last = num_layers == 1 && pass.model.conv;

  run_embeddings(pass);
  outputs.hidden_state(pass, 0);
  for (int64_t i = 0; i < num_layers; ++i) {
    cancel.check();
    if (i + 1 == num_layers && !conv_is_last) {
      // The rows of a head take this way even where the whole layer runs too: logits are the same bits whatever else
      // was asked for, and an attention over few rows may round otherwise than one over all.
      if (plan.selected_rows) run_last_layer(pass, plan.mask_decoder, hidden);
      if (!plan.every_token) return;
      cancel.check();
    }
    if (i == 0) {
      run_first_layer(pass, hidden);
    } else {
      run_encoder_layer(pass, pass.model.layers[i], hidden);
    }
    outputs.hidden_state(pass, i + 1);
    outputs.attentions(pass, i);
  }
  outputs.last_hidden_state(pass);
  if (plan.selected_rows && conv_is_last) gather_selected(pass, hidden);
}

}  // namespace deberta
