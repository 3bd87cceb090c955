// Source: transformers DebertaV2ForMultipleChoice: every choice is a sequence of its own until the softmax.
#include "model/heads/head.h"

namespace deberta {

void run_multiple_choice(const Pass& pass, float* logits) { run_sequence_classification(pass, logits); }

}  // namespace deberta
