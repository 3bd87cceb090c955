#include "model/mask_decoder.h"

#include "model/encoder_layer.h"

namespace deberta {

namespace {

void run_on_rows(const Pass& pass, const ConstMatrix& hidden, const PackedTable* added_positions, int passes) {
  const Arena::Scope scope(pass.workspace.arena());
  const PackedLayer& last = pass.model.layers.back();
  const DeviceRows& selected = pass.workspace.batch().selected;
  const Matrix query = pass.workspace.selected_hidden();

  GatherRowsArgs args;
  args.source = hidden;
  args.rows = selected.rows;
  args.table = added_positions;
  args.table_rows = selected.positions;
  args.output = query;
  pass.ops().gather_rows(pass.context(), args);

  const Matrix key_value = project_key_value(pass, last, hidden);  // the same in every pass
  for (int i = 0; i < passes; ++i) run_encoder_layer_on_rows(pass, last, key_value, query);
}

}  // namespace

void run_last_layer_on_rows(const Pass& pass, const ConstMatrix& hidden) { run_on_rows(pass, hidden, nullptr, 1); }

void run_mask_decoder(const Pass& pass, const ConstMatrix& hidden) {
  run_on_rows(pass, hidden, pass.model.position_embeddings.get(), 2);
}

}  // namespace deberta
