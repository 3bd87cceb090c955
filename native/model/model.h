// A loaded DeBERTa and its forward pass: what the addon calls. One model serves one forward at a time per context;
// callers queue (addon/executor). Instances of one checkpoint share their weights.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "ops/ops.h"

namespace deberta {

struct Config;  // model/config.h

struct ModelOptions {
  std::string directory;
  ContextOptions context;
  std::string task;  // a name of task.h: which head to run; "": the one that the checkpoint carries
  int64_t max_batch_tokens =
      16384;  // a call's sequences are run in batches of at most so many tokens (a longer one alone)
};

/// A tensor handed out: float32, row-major.
struct HostTensor {
  std::unique_ptr<float[]> data;
  std::vector<int64_t> dims;
  int64_t size() const;
};

struct SequenceInput {
  std::vector<int32_t> input_ids;       // [n], n >= 1
  std::vector<int32_t> token_type_ids;  // [n] or empty (zeros)
};

enum class Decoder : uint8_t { kAuto, kEmd, kPlain };  // of masked LMs: auto = EMD where the checkpoint can

struct ForwardRequest {
  std::vector<SequenceInput> sequences;
  bool logits = true;
  bool last_hidden_state = false;
  bool hidden_states = false;  // the embeddings and every layer
  bool attentions = false;     // every layer's maps
  Decoder decoder = Decoder::kAuto;
  bool has_positions = false;                   // masked LM: rows to predict; else every mask token
  std::vector<std::vector<int32_t>> positions;  // per sequence, with has_positions
  int64_t choices = 0;                          // multiple choice: sequences per question
};

struct ForwardResult {
  // sequence classification [num_sequences, num_labels], token classification [total_tokens, num_labels], question
  // answering [total_tokens, 2] (start, end), multiple choice [num_sequences / choices, choices], masked LM
  // [num_positions, vocab_size], replaced-token detection [total_tokens]
  HostTensor logits;
  HostTensor last_hidden_state;                     // [total_tokens, hidden_size]
  std::vector<HostTensor> hidden_states;            // each [total_tokens, hidden_size], embeddings first
  std::vector<std::vector<HostTensor>> attentions;  // [layer][sequence]: [heads, n, n]
  std::vector<int32_t> cu_seqlens;                  // [num_sequences + 1], caller's order
  std::vector<int32_t> positions_cu;                // masked LM: [num_sequences + 1], rows of logits per sequence
};

struct ModelInfo {
  std::string task;      // "sequence-classification", "token-classification", "question-answering", "multiple-choice",
                         // "masked-lm", "replaced-token-detection", "encoder"
  std::string device;    // "cpu"
  std::string detail;    // "avx512"
  std::string dtype;     // "float32"
  bool has_emd = false;  // the checkpoint has what the enhanced mask decoder needs
  int64_t num_parameters = 0;
  int64_t weight_bytes_mapped = 0;
  int64_t weight_bytes_packed = 0;
  std::vector<std::string> ignored_tensors;  // known leftovers of pre-training that this head has no use for
};

class Model {
 public:
  /// Reads config.json and the weights of `options.directory`. `mask_token_id` finds the rows of masked LMs (-1: none).
  /// Throws FILE_NOT_FOUND, MODEL_FILE, UNSUPPORTED_CONFIG, WEIGHT_*, BACKEND_UNAVAILABLE, OUT_OF_MEMORY, ABORTED.
  static std::shared_ptr<Model> load(const Backend& backend, const ModelOptions& options, int32_t mask_token_id,
                                     const CancelToken& cancel);
  virtual ~Model() = default;

  /// Runs the sequences; results are in the caller's order. Blocking; call from one thread at a time.
  /// Throws INVALID_ARGUMENT (ids out of range, empty sequence, outputs this head lacks), SEQUENCE_TOO_LONG,
  /// UNSUPPORTED_CONFIG (a decoder that the model lacks), DEVICE, OUT_OF_MEMORY, ABORTED.
  virtual ForwardResult forward(const ForwardRequest& request, const CancelToken& cancel) = 0;

  virtual const Config& config() const = 0;
  virtual const std::string& config_json() const = 0;  // the file's text, for the face
  virtual const ModelInfo& info() const = 0;
};

}  // namespace deberta
