// Sources: transformers modeling_deberta.py and modeling_deberta_v2.py for shapes; microsoft/DeBERTa
// disentangled_attention.py for the equivalence of v1's packed projection and v2's separate ones.
#include "model/weights.h"

#include <cstring>
#include <new>
#include <utility>

#include "base/error.h"
#include "io/utf8.h"
#include "model/weight_names.h"

namespace deberta {

namespace {

using Names = WeightReader::Names;

Names with_suffix(const Names& module, const char* suffix) {
  Names names;
  for (const std::string& base : module) names.push_back(base + suffix);
  return names;
}

/// Reads one checkpoint for one task.
class Loader {
 public:
  Loader(const Checkpoint& checkpoint, Config& config) : reader_(checkpoint), names_(reader_), config_(config) {}

  Weights load(Task task, bool lenient);

 private:
  enum class Bias { kRequired, kNone };

  HostLinear linear(const Names& module, int64_t out, int64_t in, Bias bias = Bias::kRequired);
  HostLayerNorm layer_norm(const Names& module, int64_t features);

  void read_embeddings(Weights& weights, Task task);
  void read_relative(Weights& weights);
  HostConv read_conv();
  HostLayer read_layer(int64_t layer);
  void read_split_projections(int64_t layer, HostLayer& result);
  void read_packed_projections(int64_t layer, HostLayer& result);

  void read_head(Task task, HostHead& head);
  void read_pooler(HostHead& head);
  void read_classifier(HostHead& head, const char* module, int64_t rows);
  void read_masked_lm(HostHead& head);
  void read_replaced_token(HostHead& head);
  int64_t num_labels();

  std::vector<std::string> leftovers(bool lenient) const;

  WeightReader reader_;
  WeightNames names_;
  Config& config_;
};

HostLinear Loader::linear(const Names& module, int64_t out, int64_t in, Bias bias) {
  HostLinear result;
  result.weight = reader_.matrix(with_suffix(module, ".weight"), {out, in});
  if (bias == Bias::kRequired) result.bias = reader_.values(with_suffix(module, ".bias"), {out});
  return result;
}

HostLayerNorm Loader::layer_norm(const Names& module, int64_t features) {
  return {reader_.values(layer_norm_weight(module), {features}), reader_.values(layer_norm_bias(module), {features})};
}

void Loader::read_embeddings(Weights& weights, Task task) {
  const int64_t width = config_.embedding_size;
  weights.word_embeddings =
      reader_.matrix(names_.encoder("embeddings.word_embeddings.weight"), {config_.vocab_size, width});
  const Names positions = names_.encoder("embeddings.position_embeddings.weight");
  const bool emd_may_use_them = task == Task::kMaskedLm && reader_.has(positions);
  if (config_.position_biased_input || emd_may_use_them) {
    weights.position_embeddings = reader_.matrix(positions, {config_.max_position_embeddings, width});
  }
  if (config_.type_vocab_size > 0) {
    weights.token_type_embeddings =
        reader_.matrix(names_.encoder("embeddings.token_type_embeddings.weight"), {config_.type_vocab_size, width});
  }
  if (width != config_.hidden_size) {
    weights.embed_proj = linear(names_.encoder("embeddings.embed_proj"), config_.hidden_size, width, Bias::kNone);
  }
  weights.embedding_layer_norm = layer_norm(names_.encoder("embeddings.LayerNorm"), config_.hidden_size);
}

void Loader::read_relative(Weights& weights) {
  if (!config_.has_position_terms()) return;
  weights.rel_embeddings =
      reader_.values(names_.encoder("encoder.rel_embeddings.weight"), {2 * config_.att_span(), config_.hidden_size});
  if (config_.norm_rel_ebd) {
    weights.rel_layer_norm = layer_norm(names_.encoder("encoder.LayerNorm"), config_.hidden_size);
  }
}

HostConv Loader::read_conv() {
  const int64_t channels = config_.hidden_size;
  HostConv conv;
  conv.weight = reader_.matrix(names_.encoder("encoder.conv.conv.weight"),
                               {channels, channels / config_.conv_groups, config_.conv_kernel_size});
  conv.bias = reader_.values(names_.encoder("encoder.conv.conv.bias"), {channels});
  conv.layer_norm = layer_norm(names_.encoder("encoder.conv.LayerNorm"), channels);
  return conv;
}

/// v2's layout: query_proj, key_proj, value_proj, and pos_key_proj, pos_query_proj unless they are shared.
void Loader::read_split_projections(int64_t layer, HostLayer& result) {
  const int64_t heads = config_.all_head_size();
  const auto read = [&](const char* name) {
    return linear(names_.layer(layer, std::string("attention.self.") + name), heads, config_.hidden_size);
  };
  result.query = read("query_proj");
  result.key = read("key_proj");
  result.value = read("value_proj");
  if (!config_.relative_attention || config_.share_att_key) return;
  if (config_.c2p) result.pos_key = read("pos_key_proj");
  if (config_.p2c) result.pos_query = read("pos_query_proj");
}

/// Rows of part `part` (q, k, v) of in_proj [heads, 3, head_size, hidden_size], heads side by side, copied.
HostMatrix gather_part(const HostMatrix& in_proj, int64_t part, int64_t heads, int64_t head_size) {
  const size_t block = static_cast<size_t>(head_size * in_proj.view.cols) * dtype_size(in_proj.view.dtype);
  const auto copy = std::make_shared<std::vector<std::byte>>(static_cast<size_t>(heads) * block);
  const auto* source = static_cast<const std::byte*>(in_proj.view.data);
  for (int64_t head = 0; head < heads; ++head) {
    std::memcpy(copy->data() + static_cast<size_t>(head) * block, source + static_cast<size_t>(3 * head + part) * block,
                block);
  }
  return {{copy->data(), in_proj.view.dtype, heads * head_size, in_proj.view.cols}, copy};
}

/// v1's layout: in_proj packs q, k and v per head and has no bias, q_bias and v_bias stand apart, keys have none.
void Loader::read_packed_projections(int64_t layer, HostLayer& result) {
  const auto name = [&](const char* what) { return names_.layer(layer, std::string("attention.self.") + what); };
  const int64_t heads = config_.num_attention_heads;
  const int64_t width = config_.all_head_size();
  const HostMatrix in_proj = reader_.matrix(name("in_proj.weight"), {3 * width, config_.hidden_size});
  result.query = {gather_part(in_proj, 0, heads, config_.attention_head_size), reader_.values(name("q_bias"), {width})};
  result.key = {gather_part(in_proj, 1, heads, config_.attention_head_size), {}};
  result.value = {gather_part(in_proj, 2, heads, config_.attention_head_size), reader_.values(name("v_bias"), {width})};
  if (config_.relative_attention && config_.c2p) {
    result.pos_key = linear(name("pos_proj"), width, config_.hidden_size, Bias::kNone);
  }
  if (config_.relative_attention && config_.p2c) {
    result.pos_query = linear(name("pos_q_proj"), width, config_.hidden_size);
  }
  if (config_.talking_head) {
    result.head_logits_proj = reader_.values(name("head_logits_proj.weight"), {heads, heads});
    result.head_weights_proj = reader_.values(name("head_weights_proj.weight"), {heads, heads});
  }
}

HostLayer Loader::read_layer(int64_t layer) {
  const int64_t hidden = config_.hidden_size;
  HostLayer result;
  // microsoft's later code saves v1 models in v2's layout: the tensors tell.
  const bool split = config_.model_type == "deberta-v2" ||
                     (!config_.talking_head && reader_.has(names_.layer(layer, "attention.self.query_proj.weight")));
  if (split) {
    read_split_projections(layer, result);
  } else {
    read_packed_projections(layer, result);
  }
  result.attention_output = linear(names_.layer(layer, "attention.output.dense"), hidden, config_.all_head_size());
  result.attention_layer_norm = layer_norm(names_.layer(layer, "attention.output.LayerNorm"), hidden);
  result.intermediate = linear(names_.layer(layer, "intermediate.dense"), config_.intermediate_size, hidden);
  result.output = linear(names_.layer(layer, "output.dense"), hidden, config_.intermediate_size);
  result.output_layer_norm = layer_norm(names_.layer(layer, "output.LayerNorm"), hidden);
  return result;
}

void Loader::read_pooler(HostHead& head) {
  if (config_.pooler_hidden_size != config_.hidden_size) {
    throw Error(ErrorCode::kUNSUPPORTED_CONFIG,
                "config.json: pooler_hidden_size: " + std::to_string(config_.pooler_hidden_size) +
                    " differs from hidden_size " + std::to_string(config_.hidden_size));
  }
  head.dense = linear(names_.head("pooler.dense"), config_.hidden_size, config_.hidden_size);
}

void Loader::read_classifier(HostHead& head, const char* module, int64_t rows) {
  head.classifier = linear(names_.head(module), rows, config_.hidden_size);
}

/// The configuration's number of labels, or where it has none the classifier's.
int64_t Loader::num_labels() {
  if (config_.num_labels == 0) {
    config_.num_labels = reader_.rows(names_.head("classifier.weight"));
    config_.labels = default_labels(config_.num_labels);
  }
  return config_.num_labels;
}

void Loader::read_masked_lm(HostHead& head) {
  const auto name = [&](const char* what) { return names_.masked_lm(what, config_.legacy); };
  const int64_t width = config_.embedding_size;
  head.dense.weight = reader_.matrix(name("dense.weight"), {width, config_.hidden_size});
  head.dense.bias = reader_.values(name("dense.bias"), {width});
  head.layer_norm = layer_norm(name("LayerNorm"), width);
  head.bias = reader_.values(name("bias"), {config_.vocab_size});
  if (!config_.tie_word_embeddings && reader_.has(names_.head("cls.predictions.transform.dense.weight"))) {
    head.decoder = reader_.matrix(names_.head("cls.predictions.decoder.weight"), {config_.vocab_size, width});
  }
}

void Loader::read_replaced_token(HostHead& head) {
  head.dense = linear(names_.head("mask_predictions.dense"), config_.hidden_size, config_.hidden_size);
  head.layer_norm = layer_norm(names_.head("mask_predictions.LayerNorm"), config_.hidden_size);
  read_classifier(head, "mask_predictions.classifier", 1);
}

void Loader::read_head(Task task, HostHead& head) {
  switch (task) {
    case Task::kEncoder:
      return;
    case Task::kSequenceClassification:
      read_pooler(head);
      return read_classifier(head, "classifier", num_labels());
    case Task::kTokenClassification:
      return read_classifier(head, "classifier", num_labels());
    case Task::kQuestionAnswering:
      return read_classifier(head, "qa_outputs", 2);
    case Task::kMultipleChoice:
      read_pooler(head);
      return read_classifier(head, "classifier", 1);
    case Task::kMaskedLm:
      return read_masked_lm(head);
    case Task::kReplacedTokenDetection:
      return read_replaced_token(head);
  }
}

/// The unread tensors, all of them known ones; throws for any other.
std::vector<std::string> Loader::leftovers(bool lenient) const {
  std::vector<std::string> ignored;
  std::vector<std::string> unexpected;
  for (std::string& name : reader_.unread()) {
    (names_.is_leftover(name, config_, lenient) ? ignored : unexpected).push_back(std::move(name));
  }
  if (unexpected.empty()) return ignored;
  std::string message = reader_.checkpoint().file() + ": " + std::to_string(unexpected.size()) +
                        " tensors that this configuration has no use for: ";
  constexpr size_t kShown = 8;
  for (size_t i = 0; i < unexpected.size() && i < kShown; ++i) {
    message.append(i == 0 ? "" : ", ").append(printable(unexpected[i], 200));
  }
  if (unexpected.size() > kShown) message += ", ...";
  throw Error(ErrorCode::kWEIGHT_UNEXPECTED, message);
}

Weights Loader::load(Task task, bool lenient) {
  Weights weights;
  read_embeddings(weights, task);
  read_relative(weights);
  for (int64_t layer = 0; layer < config_.num_hidden_layers; ++layer) weights.layers.push_back(read_layer(layer));
  if (config_.conv_kernel_size > 0) weights.conv = read_conv();
  read_head(task, weights.head);
  weights.ignored_tensors = leftovers(lenient);
  weights.num_parameters = reader_.elements_read();
  weights.bytes = reader_.bytes_read();
  return weights;
}

}  // namespace

Task resolve_task(const Config& config, const Checkpoint& checkpoint, std::optional<Task> wanted) {
  if (wanted) return *wanted;
  if (const std::optional<Task> named = task_from_architectures(config.architectures)) return *named;
  const WeightReader reader(checkpoint);
  return WeightNames(reader).infer_task(reader);
}

Weights read_weights(const Checkpoint& checkpoint, Task task, bool lenient, Config& config) {
  try {
    return Loader(checkpoint, config).load(task, lenient);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kOUT_OF_MEMORY, checkpoint.file() + ": not enough memory to read the weights");
  }
}

}  // namespace deberta
