// From AttentionArgs to what the tiled kernels take, and when they are right.
#pragma once

#include "backends/cuda/attention.h"
#include "backends/cuda/attention_tiles.cuh"

namespace deberta::cuda {

/// Whether the tiled kernels cover this call: 16 bits, all tokens are queries, nothing to do with whole rows of scores.
bool tiles_cover(const Context& context, const AttentionArgs& args);

/// Fills `far_field` in the context's scratch where a sequence may be long enough to have tiles beyond the band.
/// False, with the error stuck, where reserve() made no room for it.
bool prepare_far_field(Context& context, const AttentionArgs& args);

template <class T>
TiledAttention<T> tiled_attention(const Context& context, const AttentionArgs& args) {
  TiledAttention<T> tiled{};
  tiled.query = static_cast<const T*>(args.query.data);
  tiled.key = static_cast<const T*>(args.key.data);
  tiled.value = static_cast<const T*>(args.value.data);
  tiled.output = static_cast<T*>(args.output.data);
  tiled.cu_seqlens = args.cu_seqlens;
  tiled.query_stride = args.query.stride;
  tiled.key_stride = args.key.stride;
  tiled.value_stride = args.value.stride;
  tiled.output_stride = args.output.stride;
  tiled.total_tokens = args.key.rows;
  tiled.num_sequences = static_cast<int32_t>(args.num_sequences);
  tiled.heads = args.num_heads;
  tiled.output_pairs = reinterpret_cast<uintptr_t>(args.output.data) % 4 == 0 && args.output.stride % 2 == 0;
  tiled.scale = args.scale * 1.4426950408889634f;
  if (args.positions) {
    const Positions& positions = own(args.positions);
    tiled.pos_key = static_cast<const T*>(positions.pos_key);
    tiled.pos_query = static_cast<const T*>(positions.pos_query);
    tiled.far_field = static_cast<const float*>(context.far_field.data());
    tiled.position_stride = positions.width;
    tiled.position_rows = positions.rows;
    tiled.top_distance = positions.top_distance;
    tiled.high = positions.high;
    tiled.low = positions.low;
  }
  return tiled;
}

}  // namespace deberta::cuda
