#include "model/packed_model.h"

#include <algorithm>
#include <utility>

#include "io/checkpoint.h"
#include "io/mapped_file.h"

namespace deberta {

namespace {

/// Packs weights through one device.
class Packer {
 public:
  Packer(const Device& device, const Checkpoint& checkpoint) : device_(device), checkpoint_(checkpoint) {}

  LinearHandle linear(const std::vector<const HostLinear*>& parts, DType narrowest = DType::kInt8) const {
    std::vector<LinearPart> views;
    for (const HostLinear* part : parts) {
      views.push_back({part->weight.view, part->bias.empty() ? nullptr : part->bias.data(), narrowest});
    }
    LinearHandle packed(device_.ops().pack_linear(device_.context(), views.data(), static_cast<int>(views.size())),
                        {&device_});
    checkpoint_.release_pages();  // else a process would hold most weights twice, packed and mapped
    return packed;
  }

  LinearHandle optional_linear(const HostLinear& part, DType narrowest = DType::kInt8) const {
    return part.weight ? linear({&part}, narrowest) : LinearHandle(nullptr, {&device_});
  }

  TableHandle optional_table(const HostMatrix& table) const {
    return {table ? device_.ops().pack_table(device_.context(), table.view) : nullptr, {&device_}};
  }

  void values(const std::vector<float>& values, DeviceBuffer& buffer) const {
    if (!values.empty()) buffer.assign(values);
  }

  void layer_norm(const HostLayerNorm& host, PackedLayerNorm& packed) const {
    values(host.weight, packed.weight);
    values(host.bias, packed.bias);
  }

 private:
  const Device& device_;
  const Checkpoint& checkpoint_;
};

/// pos_key and pos_query of every layer: the projections of rel_embeddings [2 * att_span, hidden_size].
class PositionPacker {
 public:
  PositionPacker(PackedModel& model, const Packer& packer)
      : model_(model),
        packer_(packer),
        table_(make_relative_positions(model.config)),
        rel_embeddings_(model.device),
        pos_key_(model.device),
        pos_query_(model.device) {
    const Device& device = model.device;
    const Config& config = model.config;
    WorkspaceShape shape;
    shape.total_tokens = table_.num_rows;
    shape.max_features = std::max(config.hidden_size, config.all_head_size());
    device.ops().reserve(device.context(), shape);
    rel_ = matrix(rel_embeddings_, config.hidden_size);
    device.ops().upload_rows(device.context(), rel_, model.weights.rel_embeddings.data());
    if (model.weights.rel_layer_norm) normalize();
  }

  PositionsHandle pack(const HostLayer& layer, const LinearHandle& qkv) {
    const Device& device = model_.device;
    const Config& config = model_.config;
    PositionsArgs args;
    if (config.c2p) args.pos_key = project(layer.pos_key, qkv, 1, pos_key_);
    if (config.p2c) args.pos_query = project(layer.pos_query, qkv, 0, pos_query_);
    args.index = table_.index();
    args.num_heads = static_cast<int>(config.num_attention_heads);
    args.head_dim = static_cast<int>(config.attention_head_size);
    return {device.ops().pack_positions(device.context(), args), {&device}};
  }

 private:
  Matrix matrix(DeviceBuffer& buffer, int64_t cols) const {
    const Device& device = model_.device;
    const size_t element = dtype_size(device.ops().activation_dtype(device.context()));
    const int64_t rows = table_.num_rows;
    return {buffer.reserve(static_cast<size_t>(rows * cols) * element), rows, cols, cols};
  }

  void normalize() {
    const Device& device = model_.device;
    PackedLayerNorm norm{DeviceBuffer(device), DeviceBuffer(device)};
    AddLayerNormArgs args;
    args.input = rel_;
    args.weight = norm.weight.assign(model_.weights.rel_layer_norm->weight);
    args.bias = norm.bias.assign(model_.weights.rel_layer_norm->bias);
    args.eps = static_cast<float>(model_.config.layer_norm_eps);
    args.output = rel_;
    device.ops().add_layer_norm(device.context(), args);
    device.ops().synchronize(device.context());
  }

  /// Through the layer's own projection of positions, or where it is shared through part `shared` of qkv, bias
  /// included.
  Matrix project(const HostLinear& own, const LinearHandle& qkv, int shared, DeviceBuffer& buffer) {
    const Device& device = model_.device;
    const LinearHandle packed = packer_.optional_linear(own);
    LinearArgs args;
    args.input = rel_;
    args.weight = packed ? packed.get() : qkv.get();
    args.part_begin = packed ? 0 : shared;
    args.part_end = args.part_begin + 1;
    args.output = matrix(buffer, model_.config.all_head_size());
    device.ops().linear(device.context(), args);
    device.ops().synchronize(device.context());  // before `packed` goes
    return args.output;
  }

  PackedModel& model_;
  const Packer& packer_;
  RelativePositionTable table_;
  DeviceBuffer rel_embeddings_;
  DeviceBuffer pos_key_;
  DeviceBuffer pos_query_;
  Matrix rel_;  // [2 * att_span, hidden_size], after its LayerNorm
};

void pack_embeddings(PackedModel& model, const Packer& packer) {
  const Weights& weights = model.weights;
  model.word_embeddings = packer.optional_table(weights.word_embeddings);
  model.position_embeddings = packer.optional_table(weights.position_embeddings);
  model.token_type_embeddings = packer.optional_table(weights.token_type_embeddings);
  model.embed_proj = packer.optional_linear(weights.embed_proj);
  packer.layer_norm(weights.embedding_layer_norm, model.embedding_layer_norm);
}

void pack_conv(PackedModel& model, const Packer& packer) {
  if (!model.weights.conv) return;
  const HostConv& host = *model.weights.conv;
  ConvWeight weight;
  weight.weight = host.weight.view;
  weight.bias = host.bias.data();
  weight.channels = model.config.hidden_size;
  weight.kernel_size = static_cast<int>(model.config.conv_kernel_size);
  weight.groups = static_cast<int>(model.config.conv_groups);
  model.conv = {model.device.ops().pack_conv(model.device.context(), weight), {&model.device}};
  packer.layer_norm(host.layer_norm, model.conv_layer_norm);
}

/// How narrow the products of a layer may be.
struct LayerNarrowest {
  DType output = DType::kInt8;  // the down projection
  DType others = DType::kInt8;
};

/// A masked LM chooses among thousands of pieces, many nearly tied: int8 layers change 0.8 % of its choices, int8 down
/// projections alone 0.3 %, bfloat16 0.2 % (docs/performance.md). Its last layer weighs most and runs on few rows.
LayerNarrowest layer_narrowest(Task task, bool last) {
  if (task != Task::kMaskedLm) return {};
  return {last ? DType::kBFloat16 : DType::kInt8, DType::kBFloat16};
}

PackedLayer pack_layer(const Device& device, const HostLayer& host, const Packer& packer, LayerNarrowest narrowest) {
  PackedLayer layer(device);
  layer.qkv = packer.linear({&host.query, &host.key, &host.value}, narrowest.others);
  layer.attention_output = packer.linear({&host.attention_output}, narrowest.others);
  packer.layer_norm(host.attention_layer_norm, layer.attention_layer_norm);
  layer.intermediate = packer.linear({&host.intermediate}, narrowest.others);
  layer.output = packer.linear({&host.output}, narrowest.output);
  packer.layer_norm(host.output_layer_norm, layer.output_layer_norm);
  packer.values(host.head_logits_proj, layer.head_logits_proj);
  packer.values(host.head_weights_proj, layer.head_weights_proj);
  return layer;
}

/// Heads stay float32: little work beside the layers, and nothing after them evens an error out. The transform of a
/// masked LM alone makes half the error of an int8 model.
void pack_head(PackedModel& model, const Packer& packer) {
  const HostHead& head = model.weights.head;
  model.head_dense = packer.optional_linear(head.dense, DType::kFloat32);
  packer.layer_norm(head.layer_norm, model.head_layer_norm);
  model.head_classifier = packer.optional_linear(head.classifier, DType::kFloat32);
  model.head_decoder = packer.optional_table(head.decoder);
  packer.values(head.bias, model.head_bias);
}

/// Microsoft's masked_language_model.py adds position rows to the hidden states, of the layer before the last.
std::string find_emd_obstacle(const PackedModel& model) {
  if (model.task != Task::kMaskedLm)
    return std::string("the model has no masked-LM head: it is a ") + task_name(model.task);
  if (model.config.position_biased_input) return "position_biased_input is true, so that the decoder is not used";
  if (!model.position_embeddings) return "the checkpoint has no embeddings.position_embeddings.weight";
  if (model.config.embedding_size != model.config.hidden_size) return "embedding_size differs from hidden_size";
  if (model.config.num_hidden_layers < 2) return "it needs two layers or more";
  return "";
}

}  // namespace

PackedModel::PackedModel(const Backend& backend, const ContextOptions& options)
    : device(backend, options),
      embedding_layer_norm{DeviceBuffer(device), DeviceBuffer(device)},
      conv_layer_norm{DeviceBuffer(device), DeviceBuffer(device)},
      head_layer_norm{DeviceBuffer(device), DeviceBuffer(device)},
      head_bias(device) {}

std::shared_ptr<const PackedModel> load_packed_model(const Backend& backend, const ContextOptions& options,
                                                     const std::string& directory, std::optional<Task> task,
                                                     const CancelToken& cancel) {
  const auto model = std::make_shared<PackedModel>(backend, options);
  const std::string config_file = join_path(directory, "config.json");
  model->config_json = MappedFile::open(config_file)->text();
  model->config = parse_config(model->config_json, config_file);
  cancel.check();
  model->checkpoint = Checkpoint::open(directory);
  model->task = resolve_task(model->config, model->checkpoint, task);
  model->weights = read_weights(model->checkpoint, model->task, task.has_value(), model->config);

  const Packer packer(model->device, model->checkpoint);
  pack_embeddings(*model, packer);
  pack_conv(*model, packer);
  pack_head(*model, packer);
  std::optional<PositionPacker> positions;
  if (model->config.has_position_terms()) positions.emplace(*model, packer);
  for (const HostLayer& host : model->weights.layers) {
    cancel.check();
    const LayerNarrowest narrowest = layer_narrowest(model->task, &host == &model->weights.layers.back());
    model->layers.push_back(pack_layer(model->device, host, packer, narrowest));
    if (positions) model->layers.back().positions = positions->pack(host, model->layers.back().qkv);
  }
  model->emd_obstacle = find_emd_obstacle(*model);
  model->device.ops().synchronize(model->device.context());
  model->device.ops().reserve(model->device.context(), WorkspaceShape());  // the projections of positions are done
  return model;
}

}  // namespace deberta
