// What a model returns, as tensors over the addon's memory.
import type { NativeForwardResult, NativeTensor } from '../binding'
import { DebertaError } from '../errors'
import { Tensor } from '../tensor'
import type { OutputName } from './forward-request'

export interface ForwardOutputs {
  /**
   * By task: sequence classification [num_sequences, num_labels]; token classification [total_tokens, num_labels];
   * question answering [total_tokens, 2] (start, end); multiple choice [num_sequences / choices, choices]; masked LM
   * [num_positions, vocab_size]; replaced-token detection [total_tokens].
   */
  readonly logits: Tensor
  /** [total_tokens, hidden_size] */
  readonly lastHiddenState: Tensor
  /** The embeddings, then every layer: each [total_tokens, hidden_size]. */
  readonly hiddenStates: Tensor[]
  /** attentions[layer][sequence]: [heads, n, n]. */
  readonly attentions: Tensor[][]
}

export interface SequenceBounds {
  /** Sequence s has the rows [cuSeqlens[s], cuSeqlens[s + 1]) of per-token results; [num_sequences + 1]. */
  readonly cuSeqlens: Int32Array
  /** Masked LM: sequence s has the rows [cuPositions[s], cuPositions[s + 1]) of the logits. */
  readonly cuPositions?: Int32Array
}

/** The outputs that were asked for, in the order of the sequences. */
export type ForwardResult<Output extends OutputName = OutputName> = Pick<ForwardOutputs, Output> &
  SequenceBounds

export interface TopTokens {
  /** [rows, k]: token ids, best first. */
  readonly ids: Int32Array
  /** [rows, k]: probabilities, softmax over the whole vocabulary in double precision. */
  readonly scores: Float64Array
  /** `topK`, or the vocabulary where that is smaller. */
  readonly k: number
  /** Sequence s has the rows [cuPositions[s], cuPositions[s + 1]). */
  readonly cuPositions: Int32Array
}

export interface Embeddings {
  /** [num_sequences, hidden_size]; with pooling 'none' [total_tokens, hidden_size]. */
  readonly embeddings: Tensor
  readonly cuSeqlens: Int32Array
}

export function toForwardResult<Output extends OutputName>(
  result: NativeForwardResult,
): ForwardResult<Output> {
  const { logits, lastHiddenState, hiddenStates, attentions, cuSeqlens, cuPositions } = result
  const shaped: Partial<ForwardOutputs> & SequenceBounds = {
    ...(logits && { logits: tensor(logits) }),
    ...(lastHiddenState && { lastHiddenState: tensor(lastHiddenState) }),
    ...(hiddenStates && { hiddenStates: hiddenStates.map(tensor) }),
    ...(attentions && { attentions: attentions.map((layer) => layer.map(tensor)) }),
    cuSeqlens,
    ...(cuPositions && { cuPositions }),
  }
  return shaped as ForwardResult<Output>
}

export function toTopTokens({ topIds, topScores, topK, cuPositions }: NativeForwardResult): TopTokens {
  if (!topIds || !topScores || topK === undefined || !cuPositions) throw missing('topIds')
  return { ids: topIds, scores: topScores, k: topK, cuPositions }
}

export function toEmbeddings({ lastHiddenState, cuSeqlens }: NativeForwardResult): Embeddings {
  if (!lastHiddenState) throw missing('lastHiddenState')
  return { embeddings: tensor(lastHiddenState), cuSeqlens }
}

function tensor({ data, dims }: NativeTensor): Tensor {
  return new Tensor(data, dims)
}

function missing(name: string): DebertaError {
  return new DebertaError('DEBERTA_ERR_INTERNAL', `the addon's result lacks ${name}`)
}
