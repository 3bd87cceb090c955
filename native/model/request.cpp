#include "model/request.h"

#include <limits>
#include <string>

#include "base/error.h"
#include "model/heads/head.h"

namespace deberta {

namespace {

constexpr size_t kMaxIndices = std::numeric_limits<int32_t>::max();  // cu_seqlens are int32

[[noreturn]] void invalid(const std::string& message) { throw Error(ErrorCode::kINVALID_ARGUMENT, message); }

std::string at(size_t sequence, size_t index) {
  return "sequence " + std::to_string(sequence) + ", index " + std::to_string(index) + ": ";
}

void check_ids(const std::vector<int32_t>& ids, int64_t size, const char* what, const char* bound, size_t sequence) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= 0 && ids[i] < size) continue;
    invalid(at(sequence, i) + what + " " + std::to_string(ids[i]) + " is not from 0 to " + bound +
            " - 1 = " + std::to_string(size - 1));
  }
}

void check_sequence(const SequenceInput& sequence, size_t index, const Config& config) {
  const size_t length = sequence.input_ids.size();
  if (length == 0) invalid("sequence " + std::to_string(index) + " is empty");
  if (config.position_biased_input && static_cast<int64_t>(length) > config.max_position_embeddings) {
    throw Error(ErrorCode::kSEQUENCE_TOO_LONG,
                "sequence " + std::to_string(index) + " has " + std::to_string(length) +
                    " tokens; this model has absolute positions and takes at most max_position_embeddings = " +
                    std::to_string(config.max_position_embeddings));
  }
  if (!sequence.token_type_ids.empty() && sequence.token_type_ids.size() != length) {
    invalid("sequence " + std::to_string(index) + " has " + std::to_string(length) + " input ids and " +
            std::to_string(sequence.token_type_ids.size()) + " token type ids");
  }
  check_ids(sequence.input_ids, config.vocab_size, "input id", "vocab_size", index);
  // Tokenizers always give types; a model without a table for them has no use for them, as in transformers.
  if (config.type_vocab_size > 0) {
    check_ids(sequence.token_type_ids, config.type_vocab_size, "token type id", "type_vocab_size", index);
  }
}

void check_positions(const ForwardRequest& request) {
  if (request.positions.size() != request.sequences.size()) {
    invalid("expected positions for each of " + std::to_string(request.sequences.size()) + " sequences, found " +
            std::to_string(request.positions.size()));
  }
  size_t total = 0;
  for (size_t s = 0; s < request.positions.size(); ++s) {
    total += request.positions[s].size();
    const auto length = static_cast<int64_t>(request.sequences[s].input_ids.size());
    check_ids(request.positions[s], length, "position", "its number of tokens", s);
  }
  if (total > kMaxIndices) invalid("more than 2^31 - 1 positions in one call");
}

void check_head(const ForwardRequest& request, const PackedModel& model) {
  const std::string task = task_name(model.task);
  if (request.logits && model.task == Task::kEncoder) {
    invalid("logits were asked for, but the model has no head: it is a bare encoder");
  }
  if (request.has_positions) {
    if (model.task != Task::kMaskedLm) invalid("positions are for masked-lm models, this one is " + task);
    check_positions(request);
  }
  if (model.task != Task::kMultipleChoice) {
    if (request.choices != 0) invalid("choices are for multiple-choice models, this one is " + task);
  } else if (request.logits) {
    const auto sequences = static_cast<int64_t>(request.sequences.size());
    if (request.choices < 1 || sequences % request.choices != 0) {
      invalid("choices: " + std::to_string(request.choices) + " does not divide " + std::to_string(sequences) +
              " sequences");
    }
  }
  if (request.decoder == Decoder::kEmd && !model.emd_obstacle.empty()) {
    throw Error(ErrorCode::kUNSUPPORTED_CONFIG, "the enhanced mask decoder cannot run: " + model.emd_obstacle);
  }
}

std::vector<int32_t> mask_positions(const std::vector<int32_t>& input_ids, int32_t mask_token_id) {
  std::vector<int32_t> positions;
  for (size_t i = 0; i < input_ids.size(); ++i) {
    if (input_ids[i] == mask_token_id) positions.push_back(static_cast<int32_t>(i));
  }
  return positions;
}

void check_decoder_positions(const std::vector<std::vector<int32_t>>& positions, const Config& config) {
  for (size_t s = 0; s < positions.size(); ++s) {
    for (const int32_t position : positions[s]) {
      if (position < config.max_position_embeddings) continue;
      throw Error(ErrorCode::kSEQUENCE_TOO_LONG, "sequence " + std::to_string(s) +
                                                     ": the enhanced mask decoder cannot predict position " +
                                                     std::to_string(position) + ": max_position_embeddings is " +
                                                     std::to_string(config.max_position_embeddings));
    }
  }
}

}  // namespace

void check_request(const ForwardRequest& request, const PackedModel& model) {
  size_t total = 0;
  for (size_t i = 0; i < request.sequences.size(); ++i) {
    check_sequence(request.sequences[i], i, model.config);
    total += request.sequences[i].input_ids.size();
  }
  if (total > kMaxIndices) invalid("more than 2^31 - 1 tokens in one call");
  check_head(request, model);
}

bool uses_mask_decoder(const ForwardRequest& request, const PackedModel& model) {
  return request.logits && request.decoder != Decoder::kPlain && model.emd_obstacle.empty();
}

std::vector<std::vector<int32_t>> head_positions(const ForwardRequest& request, const PackedModel& model,
                                                 int32_t mask_token_id) {
  const HeadInput input = head_input(model.task);
  if (!request.logits || (input != HeadInput::kFirstTokens && input != HeadInput::kWantedTokens)) return {};
  if (input == HeadInput::kFirstTokens) return std::vector<std::vector<int32_t>>(request.sequences.size(), {0});
  std::vector<std::vector<int32_t>> positions = request.positions;
  if (!request.has_positions) {
    if (mask_token_id < 0) invalid("masked-LM logits need positions: the mask token of this model is not known");
    positions.clear();
    for (const SequenceInput& sequence : request.sequences) {
      positions.push_back(mask_positions(sequence.input_ids, mask_token_id));
    }
  }
  if (uses_mask_decoder(request, model)) check_decoder_positions(positions, model.config);
  return positions;
}

}  // namespace deberta
