// Tables stay in the checkpoint's mapping; a row is the sum of the rows that its ids name.
#include "backends/reference/context.h"
#include "backends/reference/functions.h"
#include "backends/reference/values.h"

namespace deberta::reference {

PackedTable* pack_table(OpContext*, const WeightView& table) {
  return reinterpret_cast<PackedTable*>(new Table{table});
}

void free_table(OpContext*, PackedTable* packed) { delete reinterpret_cast<Table*>(packed); }

void embedding(OpContext*, const EmbeddingArgs& args) noexcept {
  for (int64_t r = 0; r < args.output.rows; ++r) {
    for (int64_t i = 0; i < args.output.cols; ++i) {
      double sum = at(own(args.word_embeddings).view, args.input_ids[r], i);
      if (args.position_embeddings) sum += at(own(args.position_embeddings).view, args.position_ids[r], i);
      if (args.token_type_embeddings) sum += at(own(args.token_type_embeddings).view, args.token_type_ids[r], i);
      row(args.output, r)[i] = static_cast<float>(sum);
    }
  }
}

}  // namespace deberta::reference
