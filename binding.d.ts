// The raw surface of deberta.node, as native/addon/ registers it. Not part of the public API: lib/binding.ts is its only user.

/** The id of a running job; its end comes to the listener with a Result. `cancel(id)` stops it. */
export type NativeJob<Result> = number & { readonly result?: Result }

/** float32, row-major. */
export interface NativeTensor {
  readonly data: Float32Array
  readonly dims: number[]
}

export interface NativeEncodeOptions {
  addSpecialTokens?: boolean
  parseSpecialTokens?: boolean
  /** Only the mask token is recognised in the text. */
  allowMask?: boolean
  /** 0: no limit. */
  maxLength?: number
  /** 0 none, 1 longest_first, 2 only_first, 3 only_second. */
  truncation?: number
  stride?: number
  windows?: boolean
  offsets?: boolean
}

/** Encodings laid end to end: text t has the encodings [cuEncodings[t], cuEncodings[t + 1]), encoding e the tokens [cuTokens[e], cuTokens[e + 1]). */
export interface NativeEncodings {
  readonly inputIds: Int32Array
  readonly tokenTypeIds: Int32Array
  readonly sequenceIds: Int8Array
  /** [tokens, 2], null when not asked for. */
  readonly offsets: Int32Array | null
  readonly truncatedTokens: Int32Array
  readonly cuTokens: Int32Array
  readonly cuEncodings: Int32Array
}

export interface NativeTokenizerInfo {
  readonly algorithm: string
  readonly vocabSize: number
  /** 0: none stated. */
  readonly modelMaxLength: number
  /** -1: the tokenizer has none. */
  readonly specialTokens: {
    readonly pad: number
    readonly cls: number
    readonly sep: number
    readonly unk: number
    readonly mask: number
  }
}

export interface NativeTokenizer {
  encode(text: string, textPair: string | undefined, options: NativeEncodeOptions): NativeEncodings
  encodeBatch(
    texts: readonly string[],
    textPairs: readonly (string | undefined)[],
    options: NativeEncodeOptions,
    /** Index of the first text among all of the caller's, for messages. */
    firstIndex: number,
  ): NativeJob<NativeEncodings>
  decode(ids: Int32Array, skipSpecialTokens: boolean): string
  idToToken(id: number): string
  /** -1: no such token. */
  tokenToId(token: string): number
  describe(): NativeTokenizerInfo
  dispose(): void
}

export interface NativeForwardRequest {
  /** Every sequence's ids, end to end. */
  inputIds: Int32Array
  /** [num_sequences] */
  lengths: Int32Array
  /** As inputIds. */
  tokenTypeIds?: Int32Array
  logits?: boolean
  lastHiddenState?: boolean
  hiddenStates?: boolean
  attentions?: boolean
  /** 0 auto, 1 emd, 2 plain. */
  decoder?: number
  positions?: Int32Array
  /** [num_sequences], with positions. */
  positionLengths?: Int32Array
  choices?: number
  /** > 0: topIds and topScores in place of logits. */
  topK?: number
  /** 0 none, 1 cls, 2 mean: lastHiddenState becomes one row per sequence (none: per token). */
  pooling?: number
  normalize?: boolean
}

export interface NativeForwardResult {
  readonly logits?: NativeTensor
  readonly lastHiddenState?: NativeTensor
  readonly hiddenStates?: NativeTensor[]
  /** [layer][sequence] */
  readonly attentions?: NativeTensor[][]
  /** [rows, topK] */
  readonly topIds?: Int32Array
  readonly topScores?: Float64Array
  readonly topK?: number
  readonly cuSeqlens: Int32Array
  /** Masked LMs: rows of logits per sequence, [num_sequences + 1]. */
  readonly cuPositions?: Int32Array
}

export interface NativeModelInfo {
  readonly task: string
  readonly device: string
  readonly detail: string
  readonly dtype: string
  readonly why: string
  readonly hasEmd: boolean
  readonly numParameters: number
  readonly weightBytesMapped: number
  readonly weightBytesPacked: number
  readonly ignoredTensors: string[]
}

export interface NativeModel {
  forward(request: NativeForwardRequest): NativeJob<NativeForwardResult>
  describe(): NativeModelInfo
  /** The text of config.json. */
  configJson(): string
  dispose(): void
}

export interface NativeLoadOptions {
  directory: string
  device: string
  dtype: string
  /** 0: all. */
  threads?: number
  maxBatchTokens?: number
}

export interface NativeLoadedModel {
  readonly model: NativeModel
  readonly tokenizer: NativeTokenizer | null
  readonly tokenizerError: Error | null
}

export interface NativeDevice {
  readonly name: string
  readonly detail: string
  readonly available: boolean
  readonly reason: string
  readonly dtypes: string[]
}

export interface NativeBinding {
  loadModel(options: NativeLoadOptions): NativeJob<NativeLoadedModel>
  loadTokenizer(directory: string): NativeJob<NativeTokenizer>
  listDevices(): NativeJob<NativeDevice[]>
  /** The one listener of this env: called when a job has ended, never from within the call that started it. */
  listen(listener: (id: number, error: Error | null, result: unknown) => void): void
  /** False: no such job is pending any more. */
  cancel(id: number): boolean
  /** Bytes outside V8's heap that V8 knows of in this env: packed weights and results. */
  externalMemory(): number
  /** Every DEBERTA_ERR_* name of native/base/error_codes.def. */
  errorCodes(): string[]
}
