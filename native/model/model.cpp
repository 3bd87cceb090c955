// Model::load and the walk of a request through its batches.
#include "model/model.h"

#include <new>
#include <utility>

#include "base/freed_memory.h"
#include "model/encoder.h"
#include "model/heads/head.h"
#include "model/model_cache.h"
#include "model/request.h"

namespace deberta {

namespace {

ModelInfo make_info(const PackedModel& model, const Backend& backend, DType dtype) {
  ModelInfo info;
  info.task = task_name(model.task);
  info.device = backend.name;
  info.detail = backend.detail;
  info.dtype = dtype_name(dtype);
  info.has_emd = model.emd_obstacle.empty();
  info.num_parameters = model.weights.num_parameters;
  info.weight_bytes_mapped = model.weights.bytes;
  info.weight_bytes_packed = static_cast<int64_t>(backend.packed_bytes(model.device.context()));
  info.ignored_tensors = model.weights.ignored_tensors;
  return info;
}

class PackedModelRunner final : public Model {
 public:
  PackedModelRunner(std::shared_ptr<const PackedModel> model, const Backend& backend, const ModelOptions& options,
                    int32_t mask_token_id)
      : model_(std::move(model)),
        info_(make_info(*model_, backend, options.context.compute_dtype)),
        device_(backend, options.context),
        workspace_(device_),
        max_batch_tokens_(options.max_batch_tokens),
        mask_token_id_(mask_token_id) {}

  ForwardResult forward(const ForwardRequest& request, const CancelToken& cancel) override;

  const Config& config() const override { return model_->config; }
  const std::string& config_json() const override { return model_->config_json; }
  const ModelInfo& info() const override { return info_; }

 private:
  ForwardResult run(const ForwardRequest& request, const CancelToken& cancel);
  void drain();
  ForwardResult make_result(const ForwardRequest& request, const std::vector<std::vector<int32_t>>& positions) const;
  EncoderPlan make_plan(const ForwardRequest& request, const PackedBatch& batch) const;

  std::shared_ptr<const PackedModel> model_;
  ModelInfo info_;
  Device device_;
  Workspace workspace_;
  int64_t max_batch_tokens_;
  int32_t mask_token_id_;
};

std::vector<int64_t> logits_dims(const ForwardRequest& request, const PackedModel& model, int64_t tokens,
                                 int64_t wanted) {
  const auto sequences = static_cast<int64_t>(request.sequences.size());
  switch (model.task) {
    case Task::kMultipleChoice:
      return {sequences / request.choices, request.choices};
    case Task::kReplacedTokenDetection:
      return {tokens};
    default:
      break;
  }
  const HeadInput input = head_input(model.task);
  const int64_t rows = input == HeadInput::kFirstTokens    ? sequences
                       : input == HeadInput::kWantedTokens ? wanted
                                                           : tokens;
  return {rows, logits_width(model)};
}

ForwardResult PackedModelRunner::make_result(const ForwardRequest& request,
                                             const std::vector<std::vector<int32_t>>& positions) const {
  ForwardResult result;
  result.cu_seqlens = cumulative_lengths(request.sequences);
  const int64_t tokens = result.cu_seqlens.back();
  const Config& config = model_->config;
  int64_t wanted = 0;
  if (request.logits && model_->task == Task::kMaskedLm) {
    result.positions_cu = {0};
    for (const std::vector<int32_t>& list : positions) {
      wanted += static_cast<int64_t>(list.size());
      result.positions_cu.push_back(static_cast<int32_t>(wanted));
    }
  }
  if (request.logits) result.logits = make_tensor(logits_dims(request, *model_, tokens, wanted), "logits");
  if (request.last_hidden_state) {
    result.last_hidden_state = make_tensor({tokens, config.hidden_size}, "last hidden state");
  }
  if (request.hidden_states) {
    for (int64_t i = 0; i <= config.num_hidden_layers; ++i) {
      result.hidden_states.push_back(make_tensor({tokens, config.hidden_size}, "hidden states"));
    }
  }
  if (request.attentions) {
    result.attentions.resize(static_cast<size_t>(config.num_hidden_layers));
    for (auto& layer : result.attentions) layer.resize(request.sequences.size());
  }
  return result;
}

EncoderPlan PackedModelRunner::make_plan(const ForwardRequest& request, const PackedBatch& batch) const {
  EncoderPlan plan;
  plan.every_token = request.last_hidden_state || request.hidden_states || request.attentions ||
                     (request.logits && head_input(model_->task) == HeadInput::kEveryToken);
  plan.selected_rows = !batch.selected.rows.empty();
  plan.mask_decoder = plan.selected_rows && uses_mask_decoder(request, *model_);
  return plan;
}

ForwardResult PackedModelRunner::run(const ForwardRequest& request, const CancelToken& cancel) {
  check_request(request, *model_);
  const auto positions = head_positions(request, *model_, mask_token_id_);
  ForwardResult result = make_result(request, positions);
  float* logits = result.logits.data.get();
  for (const BatchRange& range : plan_batches(result.cu_seqlens, max_batch_tokens_)) {
    cancel.check();
    const PackedBatch batch = pack_batch(request.sequences, range, model_->config, positions);
    const EncoderPlan plan = make_plan(request, batch);
    if (!plan.every_token && !plan.selected_rows) continue;  // masked LM without masks: nobody looks at anything
    workspace_.prepare(model_->config, batch, request.attentions);
    const Pass pass{device_, *model_, batch, workspace_};
    run_encoder(pass, plan, BatchOutputs(request, result, range, result.cu_seqlens[range.begin]), cancel);
    if (request.logits && (plan.selected_rows || head_input(model_->task) == HeadInput::kEveryToken)) {
      run_head(pass, logits);
      const bool per_token = head_input(model_->task) == HeadInput::kEveryToken;
      const int64_t rows = per_token ? batch.total_tokens : static_cast<int64_t>(batch.selected.order.size());
      logits += rows * logits_width(*model_);
    }
    device_.ops().synchronize(device_.context());
  }
  return result;
}

/// After a failure: waits for what runs and forgets what stuck to the context, so that the next call starts clean.
void PackedModelRunner::drain() {
  try {
    device_.ops().synchronize(device_.context());
  } catch (const Error&) {
    // The call already fails with the first error.
  }
}

ForwardResult PackedModelRunner::forward(const ForwardRequest& request, const CancelToken& cancel) {
  try {
    return run(request, cancel);
  } catch (const std::bad_alloc&) {
    drain();
    throw Error(ErrorCode::kOUT_OF_MEMORY, "not enough memory for the results of this call");
  } catch (const Error&) {
    drain();
    throw;
  }
}

std::optional<Task> wanted_task(const std::string& name) {
  if (name.empty()) return std::nullopt;
  const std::optional<Task> task = task_from_name(name);
  if (!task) throw Error(ErrorCode::kINVALID_ARGUMENT, "unknown task \"" + name + "\"");
  return task;
}

}  // namespace

std::shared_ptr<Model> Model::load(const Backend& backend, const ModelOptions& options, int32_t mask_token_id,
                                   const CancelToken& cancel) {
  if (options.max_batch_tokens < 1) {
    throw Error(ErrorCode::kINVALID_ARGUMENT,
                "max_batch_tokens: expected at least 1, found " + std::to_string(options.max_batch_tokens));
  }
  try {
    auto packed =
        find_or_load_packed_model(backend, options.context, options.directory, wanted_task(options.task), cancel);
    return_freed_memory();  // of loading and of what the caller loaded before, e.g. a tokenizer: up to 20 MB
    return std::make_shared<PackedModelRunner>(std::move(packed), backend, options, mask_token_id);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::kOUT_OF_MEMORY, options.directory + ": not enough memory to load the model");
  }
}

}  // namespace deberta
