// What forward() is asked: checks sequences and options, and lays them out as the addon takes them, end to end.
import type { NativeForwardRequest } from '../binding'
import { DebertaError, invalidArgument } from '../errors'
import { checkOptionNames, int32Array, optionalChoice, optionalInteger, optionalSignal } from '../options'

/** Token ids of one sequence, such as an Encoding. */
export interface SequenceInput {
  /** [n], n ≥ 1. */
  readonly inputIds: Int32Array | readonly number[]
  /** [n]; default zeros. */
  readonly tokenTypeIds?: Int32Array | readonly number[] | undefined
}

export const outputNames = ['logits', 'lastHiddenState', 'hiddenStates', 'attentions'] as const
export type OutputName = (typeof outputNames)[number]

export const decoders = ['auto', 'emd', 'plain'] as const
/** The decoder of a masked LM: the enhanced mask decoder, the plain head, or (auto) EMD where the checkpoint can. */
export type Decoder = (typeof decoders)[number]

export const poolings = ['none', 'cls', 'mean'] as const
export type Pooling = (typeof poolings)[number]

export interface MaskedOptions {
  /** Masked LM: the tokens to predict, per sequence; default every mask token. */
  readonly positions?: readonly (Int32Array | readonly number[])[] | undefined
  /** Masked LM; default 'auto'. */
  readonly decoder?: Decoder | undefined
  /** Stops the call between two layers; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface ForwardOptions<Output extends OutputName = OutputName> extends MaskedOptions {
  /** What to return; default ['logits']. Hidden states and attentions cost memory: ask for what you use. */
  readonly outputs?: readonly Output[] | undefined
  /** Multiple choice: how many sequences, one after the other, belong to one question. */
  readonly choices?: number | undefined
}

export interface TopTokensOptions extends MaskedOptions {
  /** How many tokens per masked row; default 5. */
  readonly topK?: number | undefined
}

export interface EmbedOptions {
  /** 'none': every token; 'cls': the first token; 'mean' (default): all tokens, special ones included. */
  readonly pooling?: Pooling | undefined
  /** Divide each vector by its Euclidean norm; default false. */
  readonly normalize?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface CheckedRequest {
  readonly request: NativeForwardRequest
  readonly signal: AbortSignal | undefined
}

const maskedOptionNames = ['positions', 'decoder', 'signal']

/** forward(): sequences and options as a native request. */
export function forwardRequest(sequences: readonly SequenceInput[], options: ForwardOptions): CheckedRequest {
  checkOptionNames(options, ['outputs', 'choices', ...maskedOptionNames], 'forward')
  const outputs = checkOutputs(options.outputs)
  const choices = optionalInteger(options.choices, 'choices', { min: 1 })
  const request: NativeForwardRequest = {
    ...flatten(sequences),
    ...maskedFields(sequences, options),
    ...(choices !== undefined && { choices }),
  }
  for (const output of outputs) request[output] = true
  return { request, signal: optionalSignal(options.signal) }
}

/** topTokens(): logits that never leave the addon. */
export function topTokensRequest(
  sequences: readonly SequenceInput[],
  options: TopTokensOptions,
): CheckedRequest {
  checkOptionNames(options, ['topK', ...maskedOptionNames], 'topTokens')
  const topK = optionalInteger(options.topK, 'topK', { min: 1 }) ?? 5
  const request = { ...flatten(sequences), ...maskedFields(sequences, options), logits: true, topK }
  return { request, signal: optionalSignal(options.signal) }
}

/** embed(): one vector per sequence or token. */
export function embedRequest(sequences: readonly SequenceInput[], options: EmbedOptions): CheckedRequest {
  checkOptionNames(options, ['pooling', 'normalize', 'signal'], 'embed')
  const pooling = optionalChoice(options.pooling, 'pooling', poolings) ?? 'mean'
  const request = {
    ...flatten(sequences),
    lastHiddenState: true,
    pooling: poolings.indexOf(pooling),
    normalize: options.normalize ?? false,
  }
  return { request, signal: optionalSignal(options.signal) }
}

function checkOutputs(outputs: unknown): readonly OutputName[] {
  if (outputs === undefined) return ['logits']
  if (!Array.isArray(outputs) || outputs.length === 0)
    throw invalidArgument('a non-empty array of output names', 'outputs', outputs)
  return outputs.map((name: unknown, i) => {
    const output = optionalChoice(name, `outputs[${i}]`, outputNames)
    if (output === undefined) throw invalidArgument('an output name', `outputs[${i}]`, name)
    return output
  })
}

function maskedFields(
  sequences: readonly SequenceInput[],
  options: MaskedOptions,
): Partial<NativeForwardRequest> {
  const decoder = optionalChoice(options.decoder, 'decoder', decoders) ?? 'auto'
  const fields = { decoder: decoders.indexOf(decoder) }
  const { positions } = options
  if (positions === undefined) return fields
  if (!Array.isArray(positions) || positions.length !== sequences.length)
    throw invalidArgument(`one array per sequence (${sequences.length})`, 'positions', positions)
  const arrays = positions.map((each, i) => int32Array(each, `positions[${i}]`))
  return { ...fields, positions: concatenate(arrays), positionLengths: lengthsOf(arrays) }
}

function flatten(
  sequences: readonly SequenceInput[],
): Pick<NativeForwardRequest, 'inputIds' | 'lengths' | 'tokenTypeIds'> {
  if (!Array.isArray(sequences) || sequences.length === 0)
    throw invalidArgument('a non-empty array of sequences', 'sequences', sequences)
  const ids: Int32Array[] = []
  const types: Int32Array[] = []
  let anyTypes = false
  for (const [i, sequence] of sequences.entries()) {
    const name = `sequences[${i}]`
    if (typeof sequence !== 'object' || sequence === null)
      throw invalidArgument('{ inputIds, tokenTypeIds? }', name, sequence)
    const inputIds = int32Array(sequence.inputIds, `${name}.inputIds`)
    if (inputIds.length === 0) throw invalidArgument('at least one token', `${name}.inputIds`, inputIds)
    ids.push(inputIds)
    types.push(tokenTypes(sequence.tokenTypeIds, inputIds.length, `${name}.tokenTypeIds`))
    anyTypes ||= sequence.tokenTypeIds !== undefined
  }
  return {
    inputIds: concatenate(ids),
    lengths: lengthsOf(ids),
    ...(anyTypes && { tokenTypeIds: concatenate(types) }),
  }
}

function tokenTypes(value: SequenceInput['tokenTypeIds'], length: number, name: string): Int32Array {
  if (value === undefined) return new Int32Array(length)
  const array = int32Array(value, name)
  if (array.length === length) return array
  throw new DebertaError(
    'DEBERTA_ERR_INVALID_ARGUMENT',
    `expected ${length} elements for \`${name}\`, as many as inputIds, got ${array.length}`,
    { details: { name } },
  )
}

function lengthsOf(arrays: readonly Int32Array[]): Int32Array {
  return Int32Array.from(arrays, (array) => array.length)
}

function concatenate(arrays: readonly Int32Array[]): Int32Array {
  const joined = new Int32Array(arrays.reduce((sum, array) => sum + array.length, 0))
  let begin = 0
  for (const array of arrays) {
    joined.set(array, begin)
    begin += array.length
  }
  return joined
}
