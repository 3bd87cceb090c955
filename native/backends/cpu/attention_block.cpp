// The stages of one block of queries: packing, the two position terms, scores. See attention_block.h.
//
// c2p = pos_key Q^T is computed per strip for the slots its queries need; the window moves down by a tile of keys at a
// time and keeps what overlaps. p2c = K pos_query^T is computed per tile for all strips at once. Far from the diagonal
// all distances share a slot: there c2p is one number per query, which the product starts from, and p2c joins the
// query: Q . K + K . pos_query = (Q + pos_query) . K. Such tiles cost what plain attention costs.
#include "backends/cpu/attention_block.h"

#include <algorithm>
#include <cstring>

namespace deberta {

namespace {

constexpr int64_t kMaxWindow = kKeyTile + kQueryBlock - 1;  // slots between one tile and one block
constexpr int kValuesAsTheyLie = 64;  // rows at most: kilobytes apart, more of them would fight for the same cache sets
constexpr int64_t kP2cStride = kMaxWindow + 1 + 3 * 16;  // panels on both ends, and what a vector reads beyond

int64_t round_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

AttentionBlock::AttentionBlock(const AttentionMicrokernels& kernels, int head_dim, ScratchCursor& scratch)
    : kernels_(kernels),
      head_dim_(head_dim),
      value_stride_(round_up(head_dim, kernels.width)),
      c2p_slack_(kernels.width) {
  const int64_t strip = kernels.query_strip;
  const int64_t words = round_up(head_dim, kBlockWords);  // of float32; other dtypes need less
  strip_bytes_ = place_strip(nullptr, strips_[0]);
  strips_base_ = reinterpret_cast<std::byte*>(
      scratch.floats(kQueryBlock / strip * static_cast<int64_t>(strip_bytes_ / sizeof(float))));
  keys_ = scratch.floats(words * kKeyTile);
  packed_values_ = scratch.floats(kKeyTile * value_stride_);
  p2c_ = scratch.floats(kKeyTile * kP2cStride);
  scores_ = scratch.floats(kKeyTile * strip);
  tile_max_ = scratch.floats(strip);
}

/// The pieces of one strip, from `base` on; how many bytes they take.
size_t AttentionBlock::place_strip(std::byte* base, QueryStrip& strip) const {
  const int64_t width = kernels_.query_strip;
  const int64_t words = round_up(head_dim_, kBlockWords);
  ScratchCursor scratch(base);
  strip.queries = scratch.floats(words * width);
  for (int side = 0; side < 2; ++side) {
    strip.far_queries[side] = scratch.floats(words * width);
    strip.far_c2p[side] = scratch.floats(width);
  }
  scratch.floats(c2p_slack_ * kernels_.width);
  strip.c2p = scratch.floats((kMaxWindow + c2p_slack_) * width);
  strip.sums = scratch.floats(width * value_stride_);
  strip.largest = scratch.floats(width);
  strip.sum = scratch.floats(width);
  strip.correction = scratch.floats(width);
  return scratch.bytes();
}

int64_t AttentionBlock::c2p_vector_stride() const { return (kMaxWindow + c2p_slack_) * kernels_.width; }

const float* AttentionBlock::head_rows(const ConstMatrix& matrix, int64_t row) const {
  return static_cast<const float*>(matrix.data) + row * matrix.stride + static_cast<int64_t>(head_) * head_dim_;
}

void AttentionBlock::begin(const AttentionArgs& args, const AttentionProducts& products, const QueryRange& range,
                           int head) {
  args_ = &args;
  products_ = &products;
  positions_ = args.positions ? as_cpu(args.positions) : nullptr;
  range_ = range;
  head_ = head;
  blocks_ = static_cast<int>(round_up(round_up(head_dim_, products.group) / products.group, kBlockWords) / kBlockWords);
  place_strips();
  for (int s = 0; s < num_strips_; ++s) {
    products.pack_queries(head_rows(args.query, range.row_begin + strips_[s].first), args.query.stride,
                          strips_[s].count, head_dim_, nullptr, args.scale, strips_[s].queries);
  }
}

void AttentionBlock::place_strips() {
  const int width = kernels_.query_strip;
  num_strips_ = static_cast<int>((range_.num_rows + width - 1) / width);
  for (int s = 0; s < num_strips_; ++s) {
    QueryStrip& strip = strips_[s];
    place_strip(strips_base_ + static_cast<size_t>(s) * strip_bytes_, strip);
    std::fill_n(strip.c2p_slots, kStripVectors, SlotRange{0, -1});
    strip.far_ready[0] = strip.far_ready[1] = false;
    strip.first = static_cast<int64_t>(s) * width;
    strip.count = static_cast<int>(std::min<int64_t>(width, range_.num_rows - strip.first));
    strip.vectors = (strip.count + kernels_.width - 1) / kernels_.width;
    strip.first_position = range_.position + strip.first;
    strip.last_position = strip.first_position + strip.count - 1;
    if (range_.positions) {
      const int32_t* at = range_.positions + strip.first;
      strip.first_position = at[0];
      strip.last_position = at[strip.count - 1];
      for (int l = 0; l < width; ++l) strip.offsets[l] = at[std::min(l, strip.count - 1)] - at[0];
    }
  }
}

/// 0 or 1: every distance of the strip to the tile has the first or the last slot. -1: neither.
int AttentionBlock::far_side(const QueryStrip& strip) const {
  if (!positions_) return -1;
  if (strip.last_position - tile_.begin <= positions_->far_low) return 0;
  if (strip.first_position - (tile_.begin + tile_.count - 1) >= positions_->far_high) return 1;
  return -1;
}

void AttentionBlock::prefetch_rows(const ConstMatrix& matrix, int64_t row, int64_t count, int head) {
  const float* first =
      static_cast<const float*>(matrix.data) + row * matrix.stride + static_cast<int64_t>(head) * head_dim_;
  const int64_t stride = matrix.stride * static_cast<int64_t>(sizeof(float));
  if (count > 0) prefetch_.rows[prefetch_.num_rows++] = {reinterpret_cast<const char*>(first), stride, count};
}

void AttentionBlock::prefetch_next(const NextBlock& next) {
  const int64_t keys = std::min<int64_t>(kKeyTile, next.range.num_keys);
  prefetch_rows(args_->output, range_.row_begin, range_.num_rows, head_);
  prefetch_rows(args_->query, next.range.row_begin, next.range.num_rows, next.head);
  prefetch_rows(args_->key, next.range.key_begin, keys, next.head);
  prefetch_rows(args_->value, next.range.key_begin, keys, next.head);
}

void AttentionBlock::begin_tile(const KeyTile& tile, const NextBlock* next) {
  tile_ = tile;
  prefetch_ = {};
  prefetch_.bytes = head_dim_ * static_cast<int64_t>(sizeof(float));
  prefetch_.at_once = tile.count > kKeyTile / 2 ? 3 : 6;  // a short tile has fewer products to hide its rows behind
  const int64_t after = tile.begin + tile.count, count = std::min<int64_t>(kKeyTile, range_.num_keys - after);
  prefetch_rows(args_->key, range_.key_begin + after, count, head_);
  prefetch_rows(args_->value, range_.key_begin + after, count, head_);
  if (next) prefetch_next(*next);
  products_->pack_rows(head_rows(args_->key, range_.key_begin + tile.begin), args_->key.stride, tile.count, head_dim_,
                       keys_, static_cast<int64_t>(kKeyTile) * kBlockWords);
  if (!positions_ || !positions_->has_pos_query()) return;
  int first = 0, last = num_strips_ - 1;
  while (first <= last && far_side(strips_[first]) >= 0) ++first;
  while (last > first && far_side(strips_[last]) >= 0) --last;
  if (first <= last) compute_p2c(strips_[first].first_position, strips_[last].last_position);
}

void AttentionBlock::begin_values() {
  const float* rows = head_rows(args_->value, range_.key_begin + tile_.begin);
  if (products_->group == 1 && head_dim_ % kernels_.width == 0 && tile_.count <= kValuesAsTheyLie) {
    values_ = {rows, args_->value.stride};
    return;
  }
  values_ = {packed_values_, value_stride_};
  products_->pack_values(rows, args_->value.stride, tile_.count, head_dim_, packed_values_, value_stride_);
}

/// p2c of the tile for queries at positions [first_position, last_position].
void AttentionBlock::compute_p2c(int64_t first_position, int64_t last_position) {
  const int width = kernels_.width;
  const auto panel_of = [&](int64_t distance) {
    return (positions_->slot(distance) + positions_->panel_shift) / width;
  };
  p2c_panel_ = panel_of(first_position - (tile_.begin + tile_.count - 1));
  for (int key = 0; key < tile_.count; key += products_->p2c_rows) {
    const int rows = std::min(products_->p2c_rows, tile_.count - key);
    const int64_t nearest = tile_.begin + key, farthest = nearest + rows - 1;
    if (!range_.positions) {
      multiply_panels(key, rows, panel_of(first_position - farthest), panel_of(last_position - nearest));
      continue;
    }
    // Gapped queries need not look at every panel between the first and the last.
    int64_t begin = 0, end = -1;  // panels gathered so far: ascending positions need ascending panels
    for (int64_t q = 0; q < range_.num_rows; ++q) {
      const int64_t position = range_.positions[q];
      if (position < first_position || position > last_position) continue;
      const int64_t low = panel_of(position - farthest), high = panel_of(position - nearest);
      if (low > end + 1 || end < begin) {
        if (begin <= end) multiply_panels(key, rows, begin, end);
        begin = std::max(low, end + 1);
      }
      end = std::max(end, high);
    }
    if (begin <= end) multiply_panels(key, rows, begin, end);
  }
}

void AttentionBlock::multiply_panels(int first_key, int num_keys, int64_t first_panel, int64_t last_panel) {
  const int64_t words = static_cast<int64_t>(blocks_) * kBlockWords;
  RowsProduct product;
  product.rows = keys_ + first_key * kBlockWords;
  product.block_stride = static_cast<int64_t>(kKeyTile) * kBlockWords;
  product.num_rows = num_keys;
  product.blocks = blocks_;
  product.vector_stride = words * kernels_.width;
  product.columns =
      positions_->pos_query.as<float>() + head_ * positions_->query_head_words + first_panel * product.vector_stride;
  product.column_stride = kernels_.width;
  product.vectors = static_cast<int>(last_panel - first_panel + 1);
  product.product = p2c_ + first_key * kP2cStride + (first_panel - p2c_panel_) * kernels_.width;
  product.product_stride = kP2cStride;
  product.product_vector_stride = kernels_.width;
  product.prefetch = &prefetch_;
  products_->multiply_rows(product);
}

void AttentionBlock::make_far_ready(QueryStrip& strip, int side) {
  if (strip.far_ready[side]) return;
  strip.far_ready[side] = true;
  if (positions_->has_pos_query()) {
    const float* addend =
        positions_->far_query.data() + (static_cast<int64_t>(side) * positions_->num_heads + head_) * head_dim_;
    products_->pack_queries(head_rows(args_->query, range_.row_begin + strip.first), args_->query.stride, strip.count,
                            head_dim_, addend, args_->scale, strip.far_queries[side]);
  }
  if (!positions_->has_pos_key()) return;
  RowsProduct product;
  product.rows = positions_->pos_key.as<float>() + head_ * positions_->key_head_words +
                 (side ? positions_->num_slots - 1 : 0) * static_cast<int64_t>(kBlockWords);
  product.block_stride = positions_->key_rows * kBlockWords;
  product.num_rows = 1;
  product.blocks = blocks_;
  product.columns = strip.queries;
  product.column_stride = kernels_.width;
  product.vector_stride = query_vector_stride();
  product.vectors = strip.vectors;
  product.product = strip.far_c2p[side];
  product.product_stride = kernels_.query_strip;
  product.product_vector_stride = kernels_.width;
  product.prefetch = &prefetch_;
  products_->multiply_rows(product);
}

/// The slots of c2p that vector `vector` of the strip, with those that share its window, needs for the tile.
SlotRange AttentionBlock::c2p_window(const QueryStrip& strip, int vector) const {
  const int lanes = products_->c2p_vectors * kernels_.width, first = vector * kernels_.width / lanes * lanes;
  const int last = std::min(first + lanes, strip.count) - 1;
  const int64_t first_position = strip.first_position + (range_.positions ? strip.offsets[first] : first);
  const int64_t last_position = strip.first_position + (range_.positions ? strip.offsets[last] : last);
  return {positions_->slot(first_position - (tile_.begin + tile_.count - 1)),
          positions_->slot(last_position - tile_.begin)};
}

/// Moves the window of c2p to the slots that the strip and the tile need; keeps the rows that both windows share.
void AttentionBlock::extend_c2p(QueryStrip& strip) {
  const int64_t width = kernels_.width;
  SlotRange missing[kStripVectors];
  const int64_t first = c2p_window(strip, 0).low;
  for (int v = 0; v < strip.vectors; ++v) {
    const SlotRange held = strip.c2p_slots[v], needed = c2p_window(strip, v);
    strip.c2p_slots[v] = missing[v] = needed;
    if (needed.high < held.low || needed.high > held.high || needed.low > held.low) continue;
    missing[v].high = held.low - 1;
    float* panel = strip.c2p + v * c2p_vector_stride();
    std::memmove(panel + (held.low - first) * width, panel + (held.low - strip.c2p_first) * width,
                 static_cast<size_t>((needed.high - held.low + 1) * width) * sizeof(float));
  }
  strip.c2p_first = first;
  multiply_c2p(strip, missing);
}

/// c2p for missing[vector] of each vector. Both ends of the ranges ascend with the vectors: at every slot those that
/// miss it are neighbours, and from one end of a range to the next they are the same.
void AttentionBlock::multiply_c2p(const QueryStrip& strip, const SlotRange* missing) {
  int begin = 0, end = 0;  // vectors that miss `slot`
  for (int64_t slot = missing[0].low; begin < strip.vectors;) {
    while (begin < strip.vectors && missing[begin].high < slot) ++begin;
    if (begin == strip.vectors) return;
    slot = std::max(slot, missing[begin].low);
    end = std::max(end, begin + 1);
    while (end < strip.vectors && missing[end].low <= slot) ++end;
    int64_t last = missing[begin].high;
    if (end < strip.vectors) last = std::min(last, missing[end].low - 1);
    RowsProduct product;
    product.rows =
        positions_->pos_key.as<float>() + head_ * positions_->key_head_words + slot * static_cast<int64_t>(kBlockWords);
    product.block_stride = positions_->key_rows * kBlockWords;
    product.num_rows = static_cast<int>(last - slot + 1);
    product.blocks = blocks_;
    product.columns = strip.queries + begin * query_vector_stride();
    product.column_stride = kernels_.width;
    product.vector_stride = query_vector_stride();
    product.vectors = end - begin;
    product.product = strip.c2p + begin * c2p_vector_stride() + (slot - strip.c2p_first) * kernels_.width;
    product.product_stride = kernels_.width;
    product.product_vector_stride = c2p_vector_stride();
    product.prefetch = &prefetch_;
    products_->multiply_rows(product);
    slot = last + 1;
  }
}

void AttentionBlock::score(QueryStrip& strip) {
  const int side = far_side(strip);
  const bool near = positions_ && side < 0;
  if (side >= 0) make_far_ready(strip, side);
  RowsProduct product;
  product.rows = keys_;
  product.block_stride = static_cast<int64_t>(kKeyTile) * kBlockWords;
  product.num_rows = tile_.count;
  product.blocks = blocks_;
  product.columns = side >= 0 && positions_->has_pos_query() ? strip.far_queries[side] : strip.queries;
  product.column_stride = kernels_.width;
  product.vector_stride = query_vector_stride();
  product.vectors = strip.vectors;
  product.init = side >= 0 && positions_->has_pos_key() ? strip.far_c2p[side] : nullptr;
  product.product = scores_;
  product.product_stride = kernels_.width;
  product.product_vector_stride = score_vector_stride();
  product.prefetch = &prefetch_;
  products_->multiply_rows(product);

  ScoreTile scores;
  scores.scores = scores_;
  scores.score_vector_stride = score_vector_stride();
  scores.keys = tile_.count;
  scores.vectors = strip.vectors;
  scores.distance = strip.first_position - tile_.begin;
  scores.offsets = range_.positions ? strip.offsets : nullptr;
  scores.scale = args_->scale;
  if (near) scores.slots = positions_->slots;
  if (near && positions_->has_pos_key()) {
    extend_c2p(strip);
    scores.c2p = strip.c2p;
    scores.c2p_vector_stride = c2p_vector_stride();
    scores.c2p_first = strip.c2p_first;
  }
  if (near && positions_->has_pos_query()) {
    scores.p2c = p2c_;
    scores.p2c_first = p2c_panel_ * kernels_.width - positions_->panel_shift;
    scores.p2c_stride = kP2cStride;
  }
  kernels_.add_positions(scores, tile_max_);
}

}  // namespace deberta
