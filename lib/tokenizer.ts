// Text to token ids and back. The algorithms are in native/tokenizer/; here are the options and the shape of results.
import {
  callNative,
  type NativeEncodeOptions,
  type NativeEncodings,
  type NativeTokenizer,
  native,
  runJob,
} from './binding'
import { asyncDisposeSymbol, disposeSymbol } from './dispose'
import { DebertaError, invalidArgument } from './errors'
import {
  checkOptionNames,
  int32Array,
  type OptionOf,
  optionalBoolean,
  optionalChoice,
  optionalInteger,
  optionalSignal,
  requiredString,
} from './options'

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

export interface SpecialTokens {
  readonly pad?: number
  readonly cls?: number
  readonly sep?: number
  readonly unk?: number
  readonly mask?: number
}

const batchOptionNames = [
  'addSpecialTokens',
  'parseSpecialTokens',
  'maxLength',
  'truncation',
  'windows',
  'stride',
  'offsets',
]

/** A tokenizer of a DeBERTa checkpoint. Immutable: any number of calls may share it. */
export class Tokenizer {
  /** 'unigram' (SentencePiece: v2, v3, mDeBERTa) or 'byte-level-bpe' (v1). */
  readonly algorithm: string
  /** Highest id + 1. */
  readonly vocabSize: number
  /** What tokenizer_config.json states; undefined: nothing. */
  readonly modelMaxLength: number | undefined
  /** Ids of the special tokens that it has. */
  readonly specialTokens: SpecialTokens
  readonly #native: NativeTokenizer

  /** @internal Use loadTokenizer() or model.tokenizer. */
  constructor(nativeTokenizer: NativeTokenizer) {
    this.#native = nativeTokenizer
    const { algorithm, vocabSize, modelMaxLength, specialTokens } = nativeTokenizer.describe()
    this.algorithm = algorithm
    this.vocabSize = vocabSize
    this.modelMaxLength = modelMaxLength > 0 ? modelMaxLength : undefined
    this.specialTokens = Object.fromEntries(Object.entries(specialTokens).filter(([, id]) => id >= 0))
  }

  /**
   * Encodes one text or pair, on this thread; use encodeBatch() for many texts or a long one.
   *
   * @returns one Encoding, or with `windows: true` all windows of the text
   * @throws DEBERTA_ERR_INVALID_ARGUMENT, DEBERTA_ERR_SEQUENCE_TOO_LONG (over `maxLength` and neither truncation nor
   *   windows asked for), DEBERTA_ERR_DISPOSED
   * @example
   * const { inputIds, offsets } = tokenizer.encode('Hello there', { offsets: true })
   */
  encode<const Options extends EncodeOptions = NoOptions>(
    text: string,
    options?: Options,
  ): EncodeResult<Options> {
    requiredString(text, 'text')
    const checked: EncodeOptions = options ?? {}
    checkOptionNames(checked, [...batchOptionNames, 'textPair'], 'encode')
    const pair = checked.textPair === undefined ? undefined : requiredString(checked.textPair, 'textPair')
    const nativeOptions = this.#encodeOptions(checked)
    const flat = callNative(() => this.#native.encode(text, pair, nativeOptions))
    const encodings = splitEncodings(flat)
    return (checked.windows ? encodings[0] : encodings[0]?.[0]) as EncodeResult<Options>
  }

  /**
   * Encodes many texts and pairs off the main thread.
   *
   * @returns one Encoding (or array of windows) per input, in order
   * @throws as encode(), and the signal's reason
   */
  async encodeBatch<
    const Options extends EncodeBatchOptions & { readonly signal?: AbortSignal | undefined } = NoOptions,
  >(texts: readonly TextInput[], options?: Options): Promise<EncodeResult<Options>[]> {
    const checked: EncodeBatchOptions & { readonly signal?: AbortSignal | undefined } = options ?? {}
    checkOptionNames(checked, [...batchOptionNames, 'signal'], 'encodeBatch')
    const signal = optionalSignal(checked.signal)
    const nativeOptions = this.#encodeOptions(checked)
    const { first, second } = splitPairs(texts)
    const results: Encoding[][] = []
    let previous: Promise<NativeEncodings> | undefined
    const collect = async (): Promise<void> => {
      // Not push(...): a slice may hold more encodings than a call takes arguments.
      if (previous) for (const windows of splitEncodings(await previous)) results.push(windows)
    }
    for (const [begin, end] of slices(first, second)) {
      const [someTexts, pairs] = [first.slice(begin, end), second.slice(begin, end)]
      const current = runJob(() => this.#native.encodeBatch(someTexts, pairs, nativeOptions, begin), signal)
      current.catch(() => {}) // awaited one round later: not unhandled meanwhile
      await collect()
      previous = current
    }
    await collect()
    return (checked.windows ? results : results.map(([only]) => only)) as EncodeResult<Options>[]
  }

  /**
   * The text of token ids.
   *
   * @param options.skipSpecialTokens leave [CLS], [SEP] and their like out; default true
   * @throws DEBERTA_ERR_INVALID_ARGUMENT for an id that is not in the vocabulary
   */
  decode(
    ids: Int32Array | readonly number[],
    options: { readonly skipSpecialTokens?: boolean | undefined } = {},
  ): string {
    checkOptionNames(options, ['skipSpecialTokens'], 'decode')
    const skip = optionalBoolean(options.skipSpecialTokens, 'skipSpecialTokens') ?? true
    const array = int32Array(ids, 'ids')
    return callNative(() => this.#native.decode(array, skip))
  }

  /** The piece of an id as the vocabulary has it ("▁the", "Ġthe"). */
  idToToken(id: number): string {
    const checked = optionalInteger(id, 'id', { min: 0, max: this.vocabSize - 1 })
    if (checked === undefined) throw invalidArgument('an integer', 'id', id)
    return callNative(() => this.#native.idToToken(checked))
  }

  /** The id of a piece; undefined: the vocabulary has no such piece. */
  tokenToId(token: string): number | undefined {
    requiredString(token, 'token')
    const id = callNative(() => this.#native.tokenToId(token))
    return id < 0 ? undefined : id
  }

  /** Frees the vocabulary once running calls are done. Later calls throw DEBERTA_ERR_DISPOSED. */
  dispose(): void {
    this.#native.dispose()
  }

  [disposeSymbol](): void {
    this.dispose()
  }

  async [asyncDisposeSymbol](): Promise<void> {
    this.dispose()
  }

  #encodeOptions(options: EncodeBatchOptions): NativeEncodeOptions {
    const parse = options.parseSpecialTokens
    if (parse !== undefined && typeof parse !== 'boolean' && parse !== 'mask')
      throw invalidArgument("a boolean or 'mask'", 'parseSpecialTokens', parse)
    const truncation = optionalChoice(options.truncation, 'truncation', truncations)
    const windows = optionalBoolean(options.windows, 'windows') ?? false
    const maxLength = optionalInteger(options.maxLength, 'maxLength', { min: 1 }) ?? this.modelMaxLength
    if ((truncation || windows) && maxLength === undefined)
      throw new DebertaError(
        'DEBERTA_ERR_INVALID_ARGUMENT',
        `\`${windows ? 'windows' : 'truncation'}\` needs \`maxLength\`: the tokenizer states none`,
      )
    return {
      addSpecialTokens: optionalBoolean(options.addSpecialTokens, 'addSpecialTokens') ?? true,
      parseSpecialTokens: parse === true,
      allowMask: parse === 'mask',
      // A stated modelMaxLength limits only what is cut; without truncation only an explicit limit is one.
      maxLength: truncation || windows || options.maxLength !== undefined ? (maxLength ?? 0) : 0,
      truncation: truncation ? truncations.indexOf(truncation) + 1 : 0,
      windows,
      stride: optionalInteger(options.stride, 'stride', { min: 0 }) ?? 0,
      offsets: optionalBoolean(options.offsets, 'offsets') ?? false,
    }
  }
}

/**
 * Loads the tokenizer of a folder: spm.model, tokenizer.json, vocab.json with merges.txt, or bpe_encoder.bin. The folder
 * needs no model.
 *
 * @throws DEBERTA_ERR_FILE_NOT_FOUND, DEBERTA_ERR_TOKENIZER_FILE
 * @example
 * const tokenizer = await loadTokenizer('./models/deberta-v3-base')
 */
export async function loadTokenizer(
  directory: string,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Tokenizer> {
  requiredString(directory, 'directory')
  checkOptionNames(options, ['signal'], 'loadTokenizer')
  const signal = optionalSignal(options.signal)
  return new Tokenizer(await runJob(() => native().loadTokenizer(directory), signal))
}

// What crosses at a time: about 2 ms of this thread's time, so that a batch of any size leaves it responsive.
const sliceTexts = 1024
const sliceUnits = 1 << 20

/** [begin, end) of runs of texts of bounded number and length; two of them are under way at any time. */
function* slices(
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

function splitPairs(texts: readonly TextInput[]): { first: string[]; second: (string | undefined)[] } {
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
function splitEncodings(flat: NativeEncodings): Encoding[][] {
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
