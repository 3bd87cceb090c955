// The options that every pipeline takes with a call, and the way from texts to encodings under the model's limit.
import { DebertaError } from '../errors'
import type { Model } from '../model'
import { optionalChoice, optionalFunction, optionalInteger, optionalSignal } from '../options'
import { type Encoding, type TextInput, type Truncation, truncations } from '../tokenizer'

export interface Progress {
  /** Texts that have their result. */
  readonly done: number
  readonly total: number
}

export interface RunOptions {
  /** The most tokens of a text, special tokens included; default model.maxLength. */
  readonly maxLength?: number | undefined
  /** What may be cut of a longer text; without it a longer text is an error. */
  readonly truncation?: Truncation | undefined
  readonly signal?: AbortSignal | undefined
  /** Called after each batch of texts. */
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

export const runOptionNames = ['maxLength', 'truncation', 'signal', 'onProgress']

export interface CheckedRunOptions {
  readonly maxLength: number
  readonly truncation: Truncation | undefined
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((progress: Progress) => void) | undefined
}

export function checkRunOptions(options: RunOptions, model: Model): CheckedRunOptions {
  return {
    maxLength: optionalInteger(options.maxLength, 'maxLength', { min: 1 }) ?? model.maxLength,
    truncation: optionalChoice(options.truncation, 'truncation', truncations),
    signal: optionalSignal(options.signal),
    onProgress: optionalFunction(options.onProgress, 'onProgress'),
  }
}

/** Encodes texts for the model. What exceeds the limit is cut when asked for, else refused by index. */
export async function encodeTexts(
  model: Model,
  texts: readonly TextInput[],
  { maxLength, truncation, signal }: CheckedRunOptions,
  parseSpecialTokens: false | 'mask' = false,
): Promise<Encoding[]> {
  const encodings: Encoding[] = await model.tokenizer.encodeBatch(texts, {
    parseSpecialTokens,
    ...(truncation && { truncation, maxLength }),
    signal,
  })
  for (const [i, { inputIds }] of encodings.entries()) {
    if (inputIds.length <= maxLength) continue
    throw new DebertaError(
      'DEBERTA_ERR_SEQUENCE_TOO_LONG',
      `text ${i} has ${inputIds.length} tokens, the limit is ${maxLength}; pass \`truncation\` to cut it, or a larger \`maxLength\``,
      { details: { index: i, tokens: inputIds.length, maxLength } },
    )
  }
  return encodings
}
