// The one seam between the model and a device: a table of functions at the level of a fused step.
//
// model/ receives a `const Backend&` and walks the layers with about eight calls a layer; each backend (reference, cpu,
// cuda) fills one table. What a tensor looks like in memory beyond a row-major activation (tile order, int8, bf16,
// device copies) is the backend's own affair: weights enter once through pack_* and come back as opaque handles.
//
// Rules. Pointers inside *Args are memory of the device (from `allocate`) unless they say host. Functions that set up
// (create_context, allocate, reserve, pack_*) throw deberta::Error; ops do not throw and do not allocate: what goes
// wrong in one sticks to the context and surfaces in `synchronize`. Outputs are overwritten and never alias an input,
// unless the args say so. The result for one sequence does not depend on the others in the batch, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/activation.h"
#include "ops/tensor.h"

namespace deberta {

// Opaque: each backend names its own structs in a namespace of its own and casts, since two definitions of one name in
// one program would be merged by the linker.
struct OpContext;        // one stream of work on one device: threads or stream, scratch, sticky error
struct PackedLinear;     // weights and biases of one or more linear layers that read the same input
struct PackedConv;       // weights of a 1-D convolution
struct PackedPositions;  // pos_key and pos_query of one layer with the index of every distance
struct PackedTable;      // an embedding table: the mapping itself on the CPU, a device copy elsewhere

struct ContextOptions {
  DType compute_dtype = DType::kFloat32;  // float32, bfloat16, float16 or int8; what a backend lacks it refuses by name
  int threads = 0;                        // CPU: at most this many, 0 = all of the pool
  int device_index = 0;                   // CUDA: which device
};

/// The largest work that the coming ops may ask for; `reserve` sizes every scratch buffer by it. Without tokens: there
/// will be no ops, and scratch may go.
struct WorkspaceShape {
  int64_t total_tokens = 0;  // rows of any matrix
  int64_t max_seqlen = 0;    // longest sequence, in tokens
  int64_t num_sequences = 0;
  int64_t max_features = 0;  // widest row that any op reads
  int64_t num_heads = 0;
  int64_t head_dim = 0;
};

/// One linear layer y = x W^T + b as the checkpoint has it.
struct LinearPart {
  WeightView weight;            // [out_features, in_features], host
  const float* bias = nullptr;  // [out_features], host; null: no bias
  // What the accuracy of the answers bears: kInt8 (anything), kBFloat16 or kFloat32. The CPU multiplies in nothing
  // narrower, and in float32 where it lacks bfloat16. Other backends have no int8 and keep to their compute dtype.
  DType narrowest = DType::kInt8;
};

struct LinearArgs {
  ConstMatrix input;  // [rows, in_features]
  const PackedLinear* weight = nullptr;
  int part_begin = 0;  // the parts to compute, side by side in `output`: [part_begin, part_end)
  int part_end = 1;
  Activation activation = Activation::kNone;
  ConstMatrix residual;  // [rows, out_features of the parts], added after the activation; optional; may be `output`
  Matrix output;         // [rows, out_features of the parts]
  // What the product after this one will read, so that its first weights can be on their way; optional, changes no
  // result.
  const PackedLinear* next_weight = nullptr;
};

/// output = LayerNorm(input + residual) * weight + bias, biased variance, eps inside the root.
struct AddLayerNormArgs {
  ConstMatrix input;              // [rows, features]
  ConstMatrix residual;           // [rows, features], optional
  const float* weight = nullptr;  // [features]
  const float* bias = nullptr;    // [features]
  float eps = 1e-7f;
  Matrix output;  // [rows, features]; may be `input` or `residual`
};

/// output[r] = word[input_ids[r]] (+ position[position_ids[r]]) (+ type[token_type_ids[r]]). Ids are checked by the
/// caller.
struct EmbeddingArgs {
  const PackedTable* word_embeddings = nullptr;        // [vocab_size, embedding_size]
  const PackedTable* position_embeddings = nullptr;    // [max_position_embeddings, embedding_size], optional
  const PackedTable* token_type_embeddings = nullptr;  // [type_vocab_size, embedding_size], optional
  const int32_t* input_ids = nullptr;                  // [rows]
  const int32_t* position_ids = nullptr;               // [rows], with position_embeddings
  const int32_t* token_type_ids = nullptr;             // [rows], with token_type_embeddings
  Matrix output;                                       // [rows, embedding_size]
};

/// The row of the position tables for every distance query - key. Host memory; copied by pack_positions.
struct RelativeIndex {
  const int32_t* rows = nullptr;  // [2 * max_distance + 1]: rows[d + max_distance]; non-decreasing in d
  int32_t max_distance = 0;       // beyond it the row is that of +-max_distance
  int32_t num_rows = 0;           // 2 * att_span
};

/// Inputs are consumed before pack_positions returns. Both position terms use the same row: that of query - key
/// (microsoft/DeBERTa disentangled_attention.py; equation (4) of the paper has the second one reversed).
struct PositionsArgs {
  ConstMatrix pos_key;    // [num_rows, num_heads * head_dim]: K^r, for c2p; optional
  ConstMatrix pos_query;  // [num_rows, num_heads * head_dim]: Q^r, for p2c; optional
  RelativeIndex index;
  int num_heads = 0;
  int head_dim = 0;
};

/// output = softmax(scale * (Q K^T + c2p + p2c)) V per sequence and head, with
///   c2p[i, j] = Q[i] . pos_key[row(i - j)],   p2c[i, j] = K[j] . pos_query[row(i - j)].
/// Queries are all tokens, or (EMD) the rows of `query`, row r of which stands at query_positions[r] of its sequence.
struct AttentionArgs {
  ConstMatrix query;                           // [query_rows, num_heads * head_dim]
  ConstMatrix key;                             // [total_tokens, num_heads * head_dim]
  ConstMatrix value;                           // [total_tokens, num_heads * head_dim]
  const PackedPositions* positions = nullptr;  // null: no relative attention
  const int32_t* cu_seqlens = nullptr;         // [num_sequences + 1]
  int64_t num_sequences = 0;
  int64_t max_seqlen = 0;
  const int32_t* query_cu_seqlens = nullptr;  // [num_sequences + 1]: query rows of each sequence; null: all tokens
  const int32_t* query_positions = nullptr;   // [query_rows], ascending within a sequence; with query_cu_seqlens
  int num_heads = 0;
  int head_dim = 0;
  float scale = 1.0f;                        // 1 / sqrt(head_dim * (1 + [c2p] + [p2c]))
  const float* head_logits_proj = nullptr;   // [num_heads, num_heads]: talking heads before the softmax; optional
  const float* head_weights_proj = nullptr;  // [num_heads, num_heads]: and after it; optional
  float* probabilities = nullptr;  // attention maps, float32, per sequence [num_heads, queries, keys]; optional
  const int64_t* probability_offsets = nullptr;  // [num_sequences]: where each starts, in elements; with probabilities
  Matrix output;                                 // [query_rows, num_heads * head_dim]
};

/// output = activation(Conv1d(input)) along each sequence alone, zero beyond its ends, same length.
struct ConvArgs {
  ConstMatrix input;  // [total_tokens, channels]
  const PackedConv* weight = nullptr;
  const int32_t* cu_seqlens = nullptr;  // [num_sequences + 1]
  int64_t num_sequences = 0;
  Activation activation = Activation::kNone;
  Matrix output;  // [total_tokens, channels]
};

struct ConvWeight {
  WeightView weight;            // [channels, channels / groups * kernel_size]: torch Conv1d [out, in / groups, kernel]
  const float* bias = nullptr;  // [channels], host; null: none
  int64_t channels = 0;
  int kernel_size = 0;  // odd
  int groups = 1;
};

/// output[r] = source[rows[r]] (+ table[table_rows[r]]).
struct GatherRowsArgs {
  ConstMatrix source;                   // [source_rows, features]
  const int32_t* rows = nullptr;        // [output rows]
  const PackedTable* table = nullptr;   // [table rows, features]: added, e.g. absolute positions in the EMD; optional
  const int32_t* table_rows = nullptr;  // [output rows], with table
  Matrix output;                        // [rows, features]
};

/// output = input table^T + bias: the masked-LM decoder, whose weight is the word embedding table itself, never copied.
struct TiedLogitsArgs {
  ConstMatrix input;                   // [rows, embedding_size]
  const PackedTable* table = nullptr;  // [vocab_size, embedding_size]
  const float* bias = nullptr;         // [vocab_size]
  float* output = nullptr;             // [rows, vocab_size], contiguous, float32 whatever the activation dtype
};

struct Backend {
  const char* name;    // "reference", "cpu", "cuda"
  const char* detail;  // what runs: "double accumulation", "avx512", "sm_90"

  // Setting up. A context serves one forward at a time.
  OpContext* (*create_context)(const ContextOptions& options);
  void (*destroy_context)(OpContext* context);
  void (*reserve)(OpContext* context, const WorkspaceShape& shape);
  void* (*allocate)(OpContext* context, size_t bytes);  // 64-byte aligned at least; 0 bytes give a valid pointer
  void (*deallocate)(OpContext* context, void* memory);
  void (*upload)(OpContext* context, void* device, const void* host, size_t bytes);    // verbatim; ordered with ops
  void (*upload_rows)(OpContext* context, const Matrix& device, const float* host);    // host [rows, cols] float32
  void (*download_rows)(OpContext* context, float* host, const ConstMatrix& device);   // to float32; waits for it
  void (*download)(OpContext* context, void* host, const void* device, size_t bytes);  // verbatim; waits for it
  void (*synchronize)(
      OpContext* context);  // waits; throws what stuck to the context (DEVICE, OUT_OF_MEMORY), then clears it
  DType (*activation_dtype)(const OpContext* context);
  // Rows that a chain of row-wise ops should take at a time, so that what passes between them stays in the caches and
  // takes little memory; at least 1, INT64_MAX: all at once.
  int64_t (*rows_at_once)(const OpContext* context);

  // Weights. The host memory behind a view must outlive the handle. Contexts of the same backend, device and dtype may
  // all read a handle, at once; it is freed through the one that packed it.
  PackedLinear* (*pack_linear)(OpContext* context, const LinearPart* parts, int num_parts);
  PackedConv* (*pack_conv)(OpContext* context, const ConvWeight& weight);
  PackedTable* (*pack_table)(OpContext* context, const WeightView& table);
  PackedPositions* (*pack_positions)(OpContext* context, const PositionsArgs& args);
  void (*free_linear)(OpContext* context, PackedLinear* packed);
  void (*free_conv)(OpContext* context, PackedConv* packed);
  void (*free_table)(OpContext* context, PackedTable* packed);
  void (*free_positions)(OpContext* context, PackedPositions* packed);
  size_t (*packed_bytes)(const OpContext* context);  // device memory held by live handles, mappings not counted

  // Ops.
  void (*embedding)(OpContext* context, const EmbeddingArgs& args) noexcept;
  void (*linear)(OpContext* context, const LinearArgs& args) noexcept;
  void (*add_layer_norm)(OpContext* context, const AddLayerNormArgs& args) noexcept;
  void (*disentangled_attention)(OpContext* context, const AttentionArgs& args) noexcept;
  void (*conv1d)(OpContext* context, const ConvArgs& args) noexcept;
  void (*gather_rows)(OpContext* context, const GatherRowsArgs& args) noexcept;
  void (*tied_logits)(OpContext* context, const TiedLogitsArgs& args) noexcept;
};

}  // namespace deberta
