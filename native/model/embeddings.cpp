// Source: transformers DebertaV2Embeddings (the same as v1's but for where LayerNorm computes).
#include "model/embeddings.h"

namespace deberta {

namespace {

// Rows of many ids lie all over a table that is read through the file's mapping, and the system makes 64 KB around each
// resident: 300 MB at 8192 random ids of v3. Giving them back and finding them again takes 22 ms of CPU time: 0.1 % of
// such a batch of v3-base in float32, under 1 % in int8.
constexpr int64_t kTokensWorthReleasing = 8192;

}  // namespace

void run_embeddings(const Pass& pass) {
  const PackedModel& model = pass.model;
  const DeviceBatch& batch = pass.workspace.batch();
  const Matrix hidden = pass.workspace.hidden();
  const Arena::Scope scope(pass.workspace.arena());

  EmbeddingArgs args;
  args.word_embeddings = model.word_embeddings.get();
  args.input_ids = batch.input_ids;
  if (model.config.position_biased_input) {  // else the table is there for the mask decoder
    args.position_embeddings = model.position_embeddings.get();
    args.position_ids = batch.position_ids;
  }
  args.token_type_embeddings = model.token_type_embeddings.get();
  args.token_type_ids = batch.token_type_ids;
  args.output = model.embed_proj ? pass.matrix(hidden.rows, model.config.embedding_size) : hidden;
  pass.ops().embedding(pass.context(), args);
  if (hidden.rows >= kTokensWorthReleasing) model.checkpoint.release_pages();
  if (model.embed_proj) pass.linear(model.embed_proj, args.output, hidden);
  pass.layer_norm(model.embedding_layer_norm, hidden);
}

}  // namespace deberta
