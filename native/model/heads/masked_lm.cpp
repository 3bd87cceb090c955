// Source: microsoft/DeBERTa BertLMPredictionHead; transformers' two heads are the same up to names. The states come
// from the last layer or from the enhanced mask decoder: the head does not know.
#include <algorithm>

#include "model/heads/head.h"

namespace deberta {

namespace {

// Device memory for logits, in floats: 262 rows of DeBERTa-v3's vocabulary. More rows go in rounds.
constexpr int64_t kRoundFloats = int64_t{1} << 25;

}  // namespace

void run_masked_lm(const Pass& pass, float* logits) {
  const Arena::Scope scope(pass.workspace.arena());
  const PackedModel& model = pass.model;
  const Matrix selected = pass.workspace.selected_hidden();  // [selected rows, hidden_size]
  const int64_t width = model.config.embedding_size;
  const int64_t vocab_size = model.config.vocab_size;

  const Matrix states = pass.matrix(selected.rows, width);
  pass.linear(model.head_dense, selected, states, model.config.hidden_act);
  pass.layer_norm(model.head_layer_norm, states);

  const std::vector<int32_t>& order = pass.batch.selected.order;
  const auto wanted = static_cast<int64_t>(order.size());
  const int32_t* rows = pass.workspace.upload_indices(order);
  const int64_t round = std::min(wanted, std::max<int64_t>(1, kRoundFloats / vocab_size));
  const Matrix ordered = pass.matrix(round, width);
  TiedLogitsArgs args;
  args.table = model.decoder_table();
  args.bias = static_cast<const float*>(model.head_bias.data());
  args.output = static_cast<float*>(pass.workspace.arena().allocate(static_cast<size_t>(round * vocab_size) * 4));
  for (int64_t begin = 0; begin < wanted; begin += round) {
    GatherRowsArgs gather;
    gather.source = states;
    gather.rows = rows + begin;
    gather.output = {ordered.data, std::min(round, wanted - begin), width, ordered.stride};
    pass.ops().gather_rows(pass.context(), gather);
    args.input = gather.output;
    pass.ops().tied_logits(pass.context(), args);
    pass.ops().download(pass.context(), logits + begin * vocab_size, args.output,
                        static_cast<size_t>(gather.output.rows * vocab_size) * sizeof(float));
  }
}

}  // namespace deberta
