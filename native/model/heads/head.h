// What stands on the encoder: one file per head, each a function from hidden states to logits.
#pragma once

#include <cstdint>
#include <vector>

#include "model/pass.h"
#include "model/task.h"

namespace deberta {

/// The tokens that a head looks at.
enum class HeadInput : uint8_t { kNothing, kFirstTokens, kWantedTokens, kEveryToken };

HeadInput head_input(Task task);

/// Logits per sequence (kFirstTokens), wanted token or token: num_labels, 2, 1 or vocab_size.
int64_t logits_width(const PackedModel& model);

/// Computes the logits of the batch from workspace.hidden() or workspace.selected_hidden(), whichever head_input names,
/// into host memory `logits` [sequences, wanted tokens or tokens of the batch, logits_width]. Not for the bare encoder.
void run_head(const Pass& pass, float* logits);

// The heads. `logits` as in run_head.

/// classifier(pooler_hidden_act(pooler.dense(first token))) [num_sequences, num_labels]
void run_sequence_classification(const Pass& pass, float* logits);

/// classifier(token) [total_tokens, num_labels]
void run_token_classification(const Pass& pass, float* logits);

/// qa_outputs(token): start, end [total_tokens, 2]
void run_question_answering(const Pass& pass, float* logits);

/// As sequence classification with one label: [num_sequences, 1], which the caller folds into [questions, choices]
void run_multiple_choice(const Pass& pass, float* logits);

/// LayerNorm(hidden_act(dense(token))) word_embeddings^T + bias [wanted tokens, vocab_size]
void run_masked_lm(const Pass& pass, float* logits);

/// classifier(hidden_act(dense(LayerNorm(first token + token)))) [total_tokens, 1]: above 0 says "replaced"
void run_replaced_token_detection(const Pass& pass, float* logits);

}  // namespace deberta
