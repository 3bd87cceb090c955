// What goes into a tokenizer and what comes out: options, encodings, and how many of them cross to the addon and back.
import type { NativeEncodings } from '../binding'
import { invalidArgument } from '../errors'
import { type OptionOf, requiredString } from '../options'

/** One text, or a pair such as premise and hypothesis. */
export type TextInput = string | { readonly text: string; readonly textPair?: string | undefined }

export const truncations = ['longest_first', 'only_first', 'only_second'] as const
export type Truncation = (typeof truncations)[number]

export interface EncodeBatchOptions {
  /** [CLS] and [SEP] around the text; default true. */
  readonly addSpecialTokens?: boolean | undefined
  /**
   * Whether "[SEP]" in a text means the token. Default false: a user's text never injects special tokens. 'mask': only the
   * mask token is recognised.
   */
  readonly parseSpecialTokens?: boolean | 'mask' | undefined
  /** The most tokens of one encoding, special tokens included. Default: no limit. */
  readonly maxLength?: number | undefined
  /** What may be cut where `maxLength` is exceeded; without it (and without `windows`) that is an error. */
  readonly truncation?: Truncation | undefined
  /** Every window of `maxLength` tokens over a longer text, in order; no token is lost. */
  readonly windows?: boolean | undefined
  /** Tokens that neighbouring windows share; default 0. */
  readonly stride?: number | undefined
  /** Also where each token stands in its text. */
  readonly offsets?: boolean | undefined
}

export interface EncodeOptions extends EncodeBatchOptions {
  readonly textPair?: string | undefined
}

/** What a text became. Encodings of one batch are views of shared arrays: copy before you write to one. */
export interface Encoding {
  /** [n] */
  readonly inputIds: Int32Array
  /** [n]: 0 for "[CLS] A [SEP]", 1 for "B [SEP]". */
  readonly tokenTypeIds: Int32Array
  /** [n]: 0 first text, 1 second text, -1 special token. */
  readonly sequenceIds: Int8Array
  /** [n, 2]: [start, end) in UTF-16 units (what String.slice takes) of the token's text; (0, 0) for special tokens. */
  readonly offsets?: Int32Array
  /** Tokens of the text that were cut off; 0 without `truncation`. */
  readonly truncatedTokens: number
}

/** Encoding with `offsets` where they were asked for. */
export type EncodingFor<Options> =
  OptionOf<Options, 'offsets'> extends true ? Encoding & { readonly offsets: Int32Array } : Encoding

/** One encoding a text, or all its windows; either where the type of the options leaves it open. */
export type EncodeResult<Options> =
  OptionOf<Options, 'windows'> extends true
    ? EncodingFor<Options>[]
    : OptionOf<Options, 'windows'> extends false | undefined
      ? EncodingFor<Options>
      : EncodingFor<Options> | EncodingFor<Options>[]

/** The type of options that were left out. */
export type NoOptions = Record<never, never>

// What crosses at a time: about 2 ms of this thread's time, so that a batch of any size leaves it responsive.
const sliceTexts = 1024
const sliceUnits = 1 << 20

/** [begin, end) of runs of texts of bounded number and length; two of them are under way at any time. */
export function* slices(
  first: readonly string[],
  second: readonly (string | undefined)[],
): Generator<readonly [number, number]> {
  let begin = 0
  let units = 0
  for (let i = 0; i < first.length; i++) {
    units += (first[i]?.length ?? 0) + (second[i]?.length ?? 0)
    if (i + 1 - begin < sliceTexts && units < sliceUnits) continue
    yield [begin, i + 1]
    begin = i + 1
    units = 0
  }
  if (begin < first.length) yield [begin, first.length]
}

export function splitPairs(texts: readonly TextInput[]): { first: string[]; second: (string | undefined)[] } {
  if (!Array.isArray(texts)) throw invalidArgument('an array of texts', 'texts', texts)
  const first: string[] = []
  const second: (string | undefined)[] = []
  for (const [i, input] of (texts as readonly unknown[]).entries()) {
    const { text, textPair } = textAndPair(input, `texts[${i}]`)
    first.push(text)
    second.push(textPair)
  }
  return { first, second }
}

function textAndPair(input: unknown, name: string): { text: string; textPair: string | undefined } {
  if (typeof input === 'string') return { text: input, textPair: undefined }
  if (typeof input !== 'object' || input === null)
    throw invalidArgument('a string or { text, textPair }', name, input)
  const { text, textPair } = input as { text?: unknown; textPair?: unknown }
  return {
    text: requiredString(text, `${name}.text`),
    textPair: textPair === undefined ? undefined : requiredString(textPair, `${name}.textPair`),
  }
}

/** [text][window] from the addon's flat arrays, as views. */
export function splitEncodings(flat: NativeEncodings): Encoding[][] {
  const { cuTokens, cuEncodings } = flat
  const encodings: Encoding[] = []
  for (let e = 0; e + 1 < cuTokens.length; e++) {
    const begin = cuTokens[e] ?? 0
    const end = cuTokens[e + 1] ?? 0
    encodings.push({
      inputIds: flat.inputIds.subarray(begin, end),
      tokenTypeIds: flat.tokenTypeIds.subarray(begin, end),
      sequenceIds: flat.sequenceIds.subarray(begin, end),
      truncatedTokens: flat.truncatedTokens[e] ?? 0,
      ...(flat.offsets && { offsets: flat.offsets.subarray(2 * begin, 2 * end) }),
    })
  }
  return Array.from({ length: cuEncodings.length - 1 }, (_, t) =>
    encodings.slice(cuEncodings[t], cuEncodings[t + 1]),
  )
}
