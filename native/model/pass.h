// What every step of one batch's forward pass works with. Steps are free functions over it: embeddings.h,
// encoder_layer.h, conv_layer.h, mask_decoder.h, heads/.
#pragma once

#include "model/batching.h"
#include "model/packed_model.h"
#include "model/workspace.h"

namespace deberta {

struct Pass {
  const Device& device;
  const PackedModel& model;
  const PackedBatch& batch;
  Workspace& workspace;

  const Backend& ops() const { return device.ops(); }
  OpContext* context() const { return device.context(); }
  const Config& config() const { return model.config; }

  /// The next activation matrix of the arena.
  Matrix matrix(int64_t rows, int64_t cols) const { return workspace.arena().matrix(rows, cols); }

  void layer_norm(const PackedLayerNorm& norm, const Matrix& in_place, ConstMatrix residual = {}) const {
    AddLayerNormArgs args;
    args.input = in_place;
    args.residual = residual;
    args.weight = static_cast<const float*>(norm.weight.data());
    args.bias = static_cast<const float*>(norm.bias.data());
    args.eps = static_cast<float>(config().layer_norm_eps);
    args.output = in_place;
    ops().add_layer_norm(context(), args);
  }

  void linear(const LinearHandle& weight, ConstMatrix input, const Matrix& output,
              Activation activation = Activation::kNone) const {
    LinearArgs args;
    args.input = input;
    args.weight = weight.get();
    args.activation = activation;
    args.output = output;
    ops().linear(context(), args);
  }
};

}  // namespace deberta
