// What the masked-LM head needs: some rows of the hidden states, and their product with the word embedding table.
#include "backends/reference/context.h"
#include "backends/reference/functions.h"
#include "backends/reference/values.h"

namespace deberta::reference {

void gather_rows(OpContext*, const GatherRowsArgs& args) noexcept {
  for (int64_t r = 0; r < args.output.rows; ++r) {
    for (int64_t i = 0; i < args.output.cols; ++i) {
      double sum = row(args.source, args.rows[r])[i];
      if (args.table) sum += at(own(args.table).view, args.table_rows[r], i);
      row(args.output, r)[i] = static_cast<float>(sum);
    }
  }
}

void tied_logits(OpContext*, const TiedLogitsArgs& args) noexcept {
  const WeightView& table = own(args.table).view;
  for (int64_t r = 0; r < args.input.rows; ++r) {
    for (int64_t token = 0; token < table.rows; ++token) {
      const double bias = args.bias ? args.bias[token] : 0.0;
      args.output[r * table.rows + token] = static_cast<float>(dot_row(table, token, row(args.input, r)) + bias);
    }
  }
}

}  // namespace deberta::reference
