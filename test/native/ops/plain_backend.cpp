// Written apart from the reference backend, in float, one rounding after every operation, so that each also checks the
// other: the suite asks that they agree to float32's accuracy.
#include "plain_backend.h"

#include <cmath>
#include <vector>

#include "backends/reference/context.h"
#include "backends/reference/reference_backend.h"
#include "backends/reference/values.h"

namespace deberta::test {

namespace {

using reference::own;

float element(const WeightView& weight, int64_t r, int64_t c) {
  return static_cast<float>(reference::at(weight, r, c));
}

float in(const ConstMatrix& m, int64_t r, int64_t c) { return static_cast<const float*>(m.data)[r * m.stride + c]; }
float& out(const Matrix& m, int64_t r, int64_t c) { return static_cast<float*>(m.data)[r * m.stride + c]; }

float activate_float(Activation activation, float x) { return static_cast<float>(activate(activation, x)); }

void embedding(OpContext*, const EmbeddingArgs& args) noexcept {
  for (int64_t r = 0; r < args.output.rows; ++r) {
    for (int64_t c = 0; c < args.output.cols; ++c) {
      float sum = element(own(args.word_embeddings).view, args.input_ids[r], c);
      if (args.position_embeddings) sum += element(own(args.position_embeddings).view, args.position_ids[r], c);
      if (args.token_type_embeddings) sum += element(own(args.token_type_embeddings).view, args.token_type_ids[r], c);
      out(args.output, r, c) = sum;
    }
  }
}

void linear(OpContext*, const LinearArgs& args) noexcept {
  for (int64_t r = 0; r < args.input.rows; ++r) {
    int64_t first = 0;
    for (int p = args.part_begin; p < args.part_end; ++p) {
      const auto& part = own(args.weight).parts[p];
      for (int64_t o = 0; o < part.weight.rows; ++o) {
        float sum = 0.0f;
        for (int64_t c = 0; c < part.weight.cols; ++c) sum += in(args.input, r, c) * element(part.weight, o, c);
        if (!part.bias.empty()) sum += part.bias[o];
        float value = activate_float(args.activation, sum);
        if (args.residual.data) value += in(args.residual, r, first + o);
        out(args.output, r, first + o) = value;
      }
      first += part.weight.rows;
    }
  }
}

void add_layer_norm(OpContext*, const AddLayerNormArgs& args) noexcept {
  const int64_t n = args.input.cols;
  std::vector<float> row(n);
  for (int64_t r = 0; r < args.input.rows; ++r) {
    float sum = 0.0f;
    for (int64_t c = 0; c < n; ++c) {
      row[c] = in(args.input, r, c) + (args.residual.data ? in(args.residual, r, c) : 0.0f);
      sum += row[c];
    }
    const float mean = sum / static_cast<float>(n);
    float squares = 0.0f;
    for (const float value : row) squares += (value - mean) * (value - mean);
    const float root = std::sqrt(squares / static_cast<float>(n) + args.eps);
    for (int64_t c = 0; c < n; ++c) out(args.output, r, c) = (row[c] - mean) / root * args.weight[c] + args.bias[c];
  }
}

/// The whole map of one head and sequence in float; queries are the rows [q0, q0 + queries) of args.query.
struct Map {
  int64_t q0, queries, k0, keys;
  std::vector<float> values;  // [queries, keys]
};

int64_t position_of(const AttentionArgs& args, const Map& map, int64_t i) {
  return args.query_cu_seqlens ? args.query_positions[map.q0 + i] : i;
}

void fill_scores(const AttentionArgs& args, int h, Map& map) {
  const int d = args.head_dim;
  for (int64_t i = 0; i < map.queries; ++i) {
    for (int64_t j = 0; j < map.keys; ++j) {
      float sum = 0.0f;
      for (int c = h * d; c < (h + 1) * d; ++c) sum += in(args.query, map.q0 + i, c) * in(args.key, map.k0 + j, c);
      if (args.positions) {
        const auto& positions = own(args.positions);
        int64_t distance = position_of(args, map, i) - j;
        if (distance > positions.max_distance) distance = positions.max_distance;
        if (distance < -positions.max_distance) distance = -positions.max_distance;
        const int64_t r = positions.rows[distance + positions.max_distance] * positions.width;
        float c2p = 0.0f;
        float p2c = 0.0f;
        for (int c = h * d; c < (h + 1) * d; ++c) {
          if (!positions.pos_key.empty()) c2p += in(args.query, map.q0 + i, c) * positions.pos_key[r + c];
          if (!positions.pos_query.empty()) p2c += in(args.key, map.k0 + j, c) * positions.pos_query[r + c];
        }
        sum += c2p + p2c;
      }
      map.values[i * map.keys + j] = sum * args.scale;
    }
  }
}

void normalize(Map& map) {
  for (int64_t i = 0; i < map.queries; ++i) {
    float* row = map.values.data() + i * map.keys;
    float largest = row[0];
    for (int64_t j = 1; j < map.keys; ++j) largest = row[j] > largest ? row[j] : largest;
    float sum = 0.0f;
    for (int64_t j = 0; j < map.keys; ++j) sum += row[j] = std::exp(row[j] - largest);
    for (int64_t j = 0; j < map.keys; ++j) row[j] /= sum;
  }
}

void mix(const float* proj, std::vector<Map>& heads) {
  if (!proj) return;
  const std::vector<Map> old = heads;
  for (size_t g = 0; g < heads.size(); ++g) {
    for (size_t k = 0; k < heads[g].values.size(); ++k) {
      float sum = 0.0f;
      for (size_t h = 0; h < heads.size(); ++h) sum += proj[g * heads.size() + h] * old[h].values[k];
      heads[g].values[k] = sum;
    }
  }
}

void write_heads(const AttentionArgs& args, int64_t s, const std::vector<Map>& heads) {
  for (int h = 0; h < args.num_heads; ++h) {
    const Map& map = heads[h];
    for (int64_t i = 0; i < map.queries; ++i) {
      for (int c = h * args.head_dim; c < (h + 1) * args.head_dim; ++c) {
        float sum = 0.0f;
        for (int64_t j = 0; j < map.keys; ++j) sum += map.values[i * map.keys + j] * in(args.value, map.k0 + j, c);
        out(args.output, map.q0 + i, c) = sum;
      }
    }
    if (!args.probabilities) continue;
    float* to = args.probabilities + args.probability_offsets[s] + h * map.queries * map.keys;
    for (size_t k = 0; k < map.values.size(); ++k) to[k] = map.values[k];
  }
}

void disentangled_attention(OpContext*, const AttentionArgs& args) noexcept {
  const int32_t* query_cu = args.query_cu_seqlens ? args.query_cu_seqlens : args.cu_seqlens;
  for (int64_t s = 0; s < args.num_sequences; ++s) {
    Map map{query_cu[s],
            query_cu[s + 1] - query_cu[s],
            args.cu_seqlens[s],
            args.cu_seqlens[s + 1] - args.cu_seqlens[s],
            {}};
    map.values.resize(map.queries * map.keys);
    std::vector<Map> heads(args.num_heads, map);
    for (int h = 0; h < args.num_heads; ++h) fill_scores(args, h, heads[h]);
    mix(args.head_logits_proj, heads);
    for (Map& head : heads) normalize(head);
    mix(args.head_weights_proj, heads);
    write_heads(args, s, heads);
  }
}

void conv1d(OpContext*, const ConvArgs& args) noexcept {
  const auto& conv = own(args.weight);
  const int64_t per_group = conv.channels / conv.groups;
  for (int64_t s = 0; s < args.num_sequences; ++s) {
    const int64_t length = args.cu_seqlens[s + 1] - args.cu_seqlens[s];
    for (int64_t t = 0; t < length; ++t) {
      for (int64_t o = 0; o < conv.channels; ++o) {
        float sum = 0.0f;
        for (int k = 0; k < conv.kernel_size; ++k) {
          const int64_t from = t + k - (conv.kernel_size - 1) / 2;
          for (int64_t c = 0; c < per_group && from >= 0 && from < length; ++c) {
            sum += element(conv.weight, o, c * conv.kernel_size + k) *
                   in(args.input, args.cu_seqlens[s] + from, o / per_group * per_group + c);
          }
        }
        if (!conv.bias.empty()) sum += conv.bias[o];
        out(args.output, args.cu_seqlens[s] + t, o) = activate_float(args.activation, sum);
      }
    }
  }
}

void gather_rows(OpContext*, const GatherRowsArgs& args) noexcept {
  for (int64_t r = 0; r < args.output.rows; ++r) {
    for (int64_t c = 0; c < args.output.cols; ++c) {
      out(args.output, r, c) =
          in(args.source, args.rows[r], c) + (args.table ? element(own(args.table).view, args.table_rows[r], c) : 0.0f);
    }
  }
}

void tied_logits(OpContext*, const TiedLogitsArgs& args) noexcept {
  const WeightView& table = own(args.table).view;
  for (int64_t r = 0; r < args.input.rows; ++r) {
    for (int64_t o = 0; o < table.rows; ++o) {
      float sum = 0.0f;
      for (int64_t c = 0; c < table.cols; ++c) sum += in(args.input, r, c) * element(table, o, c);
      args.output[r * table.rows + o] = sum + (args.bias ? args.bias[o] : 0.0f);
    }
  }
}

}  // namespace

const Backend& plain_backend() {
  static const Backend backend = [] {
    Backend table = reference_backend();
    table.name = "plain";
    table.detail = "float32 loops";
    table.embedding = embedding;
    table.linear = linear;
    table.add_layer_norm = add_layer_norm;
    table.disentangled_attention = disentangled_attention;
    table.conv1d = conv1d;
    table.gather_rows = gather_rows;
    table.tied_logits = tied_logits;
    return table;
  }();
  return backend;
}

}  // namespace deberta::test
