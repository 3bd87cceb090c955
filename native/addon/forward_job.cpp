#include "addon/forward_job.h"

#include <string>
#include <utility>
#include <vector>

#include "addon/convert.h"
#include "addon/reduce.h"

namespace deberta::addon {

namespace {

/// What is handed out in place of whole tensors; see reduce.h.
struct Reduction {
  int64_t top_k = 0;    // > 0: the best tokens of each row of logits replace the logits
  bool pooled = false;  // one vector per sequence replaces last_hidden_state
  Pooling pooling = Pooling::kNone;
  bool normalize = false;
};

std::vector<std::vector<int32_t>> split(const std::vector<int32_t>& values, const std::vector<int32_t>& lengths,
                                        const char* what) {
  std::vector<std::vector<int32_t>> parts;
  parts.reserve(lengths.size());
  size_t begin = 0;
  for (const int32_t length : lengths) {
    if (length < 0 || begin + static_cast<size_t>(length) > values.size())
      throw Error(ErrorCode::kINVALID_ARGUMENT, std::string("the lengths of `") + what + "` exceed its elements");
    parts.emplace_back(values.begin() + begin, values.begin() + begin + length);
    begin += static_cast<size_t>(length);
  }
  if (begin != values.size())
    throw Error(ErrorCode::kINVALID_ARGUMENT, std::string("`") + what + "` has more elements than its lengths say");
  return parts;
}

ForwardRequest to_forward_request(const Napi::Object& object) {
  ForwardRequest request;
  const std::vector<int32_t> lengths = to_int32_vector(object.Get("lengths"), "lengths");
  auto input_ids = split(to_int32_vector(object.Get("inputIds"), "inputIds"), lengths, "inputIds");
  std::vector<std::vector<int32_t>> token_type_ids(lengths.size());
  if (!object.Get("tokenTypeIds").IsUndefined())
    token_type_ids = split(to_int32_vector(object.Get("tokenTypeIds"), "tokenTypeIds"), lengths, "tokenTypeIds");
  request.sequences.reserve(lengths.size());
  for (size_t i = 0; i < lengths.size(); ++i)
    request.sequences.push_back({std::move(input_ids[i]), std::move(token_type_ids[i])});

  request.logits = get_bool(object, "logits", false);
  request.last_hidden_state = get_bool(object, "lastHiddenState", false);
  request.hidden_states = get_bool(object, "hiddenStates", false);
  request.attentions = get_bool(object, "attentions", false);
  const int64_t decoder = get_int(object, "decoder", 0);
  if (decoder < 0 || decoder > static_cast<int64_t>(Decoder::kPlain))
    throw Error(ErrorCode::kINVALID_ARGUMENT, "expected 0, 1 or 2 for `decoder`");
  request.decoder = static_cast<Decoder>(decoder);
  request.choices = get_int(object, "choices", 0);
  request.has_positions = !object.Get("positions").IsUndefined();
  if (request.has_positions)
    request.positions = split(to_int32_vector(object.Get("positions"), "positions"),
                              to_int32_vector(object.Get("positionLengths"), "positionLengths"), "positions");
  return request;
}

Reduction to_reduction(const Napi::Object& object) {
  Reduction reduction;
  reduction.top_k = get_int(object, "topK", 0);
  reduction.pooled = !object.Get("pooling").IsUndefined();
  const int64_t pooling = get_int(object, "pooling", 0);
  if (reduction.top_k < 0 || pooling < 0 || pooling > static_cast<int64_t>(Pooling::kMean))
    throw Error(ErrorCode::kINVALID_ARGUMENT, "expected `topK` >= 0 and `pooling` 0, 1 or 2");
  reduction.pooling = static_cast<Pooling>(pooling);
  reduction.normalize = get_bool(object, "normalize", false);
  return reduction;
}

class ForwardJob final : public Job {
 public:
  ForwardJob(std::shared_ptr<Model> model, ForwardRequest request, const Reduction& reduction)
      : model_(std::move(model)), request_(std::move(request)), reduction_(reduction) {}

  void run(const CancelToken& cancel) override {
    // Taken out of the member: a model that was disposed meanwhile is freed here, not on JavaScript's thread.
    const std::shared_ptr<Model> model = std::move(model_);
    result_ = model->forward(request_, cancel);
    if (reduction_.top_k > 0) {
      if (result_.logits.dims.size() != 2)
        throw Error(ErrorCode::kINVALID_ARGUMENT,
                    "the best tokens exist for masked-lm models only, this is '" + model->info().task + "'");
      top_ = top_tokens(result_.logits, reduction_.top_k, cancel);
      result_.logits = HostTensor();
      request_.logits = false;
    }
    if (reduction_.pooled)
      result_.last_hidden_state = pool(std::move(result_.last_hidden_state), result_.cu_seqlens, reduction_.pooling,
                                       reduction_.normalize, cancel);
  }

  Napi::Value result(Napi::Env env) override {
    Napi::Object object = Napi::Object::New(env);
    if (request_.logits) object.Set("logits", from_tensor(env, std::move(result_.logits)));
    if (request_.last_hidden_state)
      object.Set("lastHiddenState", from_tensor(env, std::move(result_.last_hidden_state)));
    if (request_.hidden_states) object.Set("hiddenStates", from_tensors(env, std::move(result_.hidden_states)));
    if (request_.attentions) object.Set("attentions", attentions(env));
    if (reduction_.top_k > 0) {
      object.Set("topIds", from_int32(env, std::move(top_.ids)));
      object.Set("topScores", from_float64(env, std::move(top_.scores)));
      object.Set("topK", static_cast<double>(top_.k));
    }
    object.Set("cuSeqlens", from_int32(env, std::move(result_.cu_seqlens)));
    if (!result_.positions_cu.empty()) object.Set("cuPositions", from_int32(env, std::move(result_.positions_cu)));
    return object;
  }

 private:
  Napi::Value attentions(Napi::Env env) {
    Napi::Array layers = Napi::Array::New(env, result_.attentions.size());
    for (size_t i = 0; i < result_.attentions.size(); ++i)
      layers.Set(static_cast<uint32_t>(i), from_tensors(env, std::move(result_.attentions[i])));
    return layers;
  }

  std::shared_ptr<Model> model_;
  ForwardRequest request_;
  Reduction reduction_;
  ForwardResult result_;
  TopTokens top_;
};

}  // namespace

std::unique_ptr<Job> make_forward_job(std::shared_ptr<Model> model, const Napi::Object& request) {
  ForwardRequest forward = to_forward_request(request);
  const Reduction reduction = to_reduction(request);
  return std::make_unique<ForwardJob>(std::move(model), std::move(forward), reduction);
}

}  // namespace deberta::addon
