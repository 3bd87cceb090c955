// The published configurations, by the name of the checkpoint on the hub. Weights are generated (checkpoint.mjs).

const v3 = {
  model_type: 'deberta-v2',
  architectures: ['DebertaV2ForSequenceClassification'],
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  initializer_range: 0.02,
  layer_norm_eps: 1e-7,
  max_position_embeddings: 512,
  max_relative_positions: -1,
  norm_rel_ebd: 'layer_norm',
  num_hidden_layers: 12,
  pad_token_id: 0,
  pooler_dropout: 0,
  pooler_hidden_act: 'gelu',
  pos_att_type: ['p2c', 'c2p'],
  position_biased_input: false,
  position_buckets: 256,
  relative_attention: true,
  share_att_key: true,
  type_vocab_size: 0,
  vocab_size: 128100,
  id2label: { 0: 'entailment', 1: 'neutral', 2: 'contradiction' },
  label2id: { entailment: 0, neutral: 1, contradiction: 2 },
}

const sized = (base, hidden, intermediate, heads, layers, more = {}) => ({
  ...base,
  hidden_size: hidden,
  pooler_hidden_size: hidden,
  intermediate_size: intermediate,
  num_attention_heads: heads,
  num_hidden_layers: layers,
  ...more,
})

export const shapes = {
  'v3-xsmall': sized(v3, 384, 1536, 6, 12),
  'v3-small': sized(v3, 768, 3072, 12, 6),
  'v3-base': sized(v3, 768, 3072, 12, 12),
  'v3-large': sized(v3, 1024, 4096, 16, 24),
  'v2-xlarge': sized(v3, 1536, 6144, 24, 24, {
    attention_head_size: 64,
    conv_kernel_size: 3,
    conv_act: 'gelu',
  }),
  'v1-base': sized(v3, 768, 3072, 12, 12, {
    model_type: 'deberta',
    architectures: ['DebertaForSequenceClassification'],
    norm_rel_ebd: 'none',
    position_buckets: -1,
    share_att_key: false,
    vocab_size: 50265,
  }),
}

/** Multiplications and additions that one forward over sequences of these lengths needs at least. */
export function minimalFlops(config, lengths) {
  const { hidden_size: h, intermediate_size: f, num_hidden_layers: layers } = config
  const tokens = lengths.reduce((sum, n) => sum + n, 0)
  const linear = 2 * tokens * (4 * h * h + 2 * h * f)
  let attention = 0
  for (const n of lengths) attention += 4 * n * n * h + 4 * n * h * meanReachableRows(config, n)
  return layers * (linear + attention)
}

/** Rows of the position table that a token of a sequence of n tokens needs on average: the distances it has, bucketed. */
function meanReachableRows(config, n) {
  const span = config.position_buckets > 0 ? config.position_buckets : config.max_position_embeddings
  const bucket = (distance) => {
    const mid = span / 2
    if (config.position_buckets <= 0 || distance < mid) return Math.min(distance, span)
    const scaled = Math.ceil(
      (Math.log(distance / mid) / Math.log((config.max_position_embeddings - 1) / mid)) * (mid - 1),
    )
    return Math.min(scaled + mid, span)
  }
  const rowsOneSide = [0]
  for (let distance = 1, last = 0; distance < n; distance++) {
    rowsOneSide.push(rowsOneSide[distance - 1] + (bucket(distance) === last ? 0 : 1))
    last = bucket(distance)
  }
  let total = 0
  for (let i = 0; i < n; i++) total += 1 + rowsOneSide[i] + rowsOneSide[n - 1 - i]
  return total / n
}
