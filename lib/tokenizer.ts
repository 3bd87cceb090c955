// Tokenizer and loadTokenizer(): the face of the algorithms in native/tokenizer/. Options and encodings are in tokenizer/encoding.ts.
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
  optionalBoolean,
  optionalChoice,
  optionalInteger,
  optionalSignal,
  requiredString,
} from './options'
import {
  type EncodeBatchOptions,
  type EncodeOptions,
  type EncodeResult,
  type Encoding,
  type NoOptions,
  slices,
  splitEncodings,
  splitPairs,
  type TextInput,
  truncations,
} from './tokenizer/encoding'

export {
  type EncodeBatchOptions,
  type EncodeOptions,
  type EncodeResult,
  type Encoding,
  type EncodingFor,
  type NoOptions,
  type TextInput,
  type Truncation,
  truncations,
} from './tokenizer/encoding'

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
