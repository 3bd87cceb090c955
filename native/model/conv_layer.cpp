// Source: transformers ConvLayer. Its zeroing of padding is the op's zero beyond the ends of each sequence.
#include "model/conv_layer.h"

namespace deberta {

Matrix run_conv(const Pass& pass, const ConstMatrix& embeddings) {
  ConvArgs args;
  args.input = embeddings;
  args.weight = pass.model.conv.get();
  args.cu_seqlens = pass.workspace.batch().cu_seqlens;
  args.num_sequences = pass.batch.num_sequences;
  args.activation = pass.config().conv_act;
  args.output = pass.matrix(embeddings.rows, embeddings.cols);
  pass.ops().conv1d(pass.context(), args);
  return args.output;
}

void add_conv(const Pass& pass, const ConstMatrix& conv, const Matrix& hidden) {
  pass.layer_norm(pass.model.conv_layer_norm, hidden, conv);
}

}  // namespace deberta
