// A loaded checkpoint: loadModel() and the forward pass. Pipelines build on this; use it for tasks of your own.
import { callNative, type NativeLoadedModel, type NativeModel, native, runJob } from './binding'
import { asyncDisposeSymbol, disposeSymbol } from './dispose'
import { DebertaError, fromNative, invalidArgument } from './errors'
import {
  type EmbedOptions,
  embedRequest,
  type ForwardOptions,
  forwardRequest,
  type OutputName,
  type SequenceInput,
  type TopTokensOptions,
  topTokensRequest,
} from './model/forward-request'
import {
  type Embeddings,
  type ForwardResult,
  type TopTokens,
  toEmbeddings,
  toForwardResult,
  toTopTokens,
} from './model/forward-result'
import { checkOptionNames, optionalChoice, optionalInteger, optionalSignal, requiredString } from './options'
import { Tokenizer } from './tokenizer'

/** 'auto' alone may choose; 'reference' is the plain double-accumulating implementation that the tests compare against. */
export type DeviceName = 'auto' | 'cpu' | 'reference' | 'cuda' | `cuda:${number}`

export const dtypes = ['auto', 'float32', 'bfloat16', 'float16', 'int8'] as const
export type DType = (typeof dtypes)[number]

export interface LoadModelOptions {
  /** Default 'auto'. What was chosen, and why, is in model.info. */
  readonly device?: DeviceName | undefined
  /** What to compute in; default 'auto': what suits the device. What a device lacks is an error. */
  readonly dtype?: DType | undefined
  /** CPU: the most threads one forward uses; default all of the pool (DEBERTA_NUM_THREADS). */
  readonly threads?: number | undefined
  /** Sequences of one call run in batches of at most so many tokens (a longer one alone); default 16384. */
  readonly maxBatchTokens?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export const loadModelOptionNames = ['device', 'dtype', 'threads', 'maxBatchTokens', 'signal']

export type Task =
  | 'sequence-classification'
  | 'token-classification'
  | 'question-answering'
  | 'multiple-choice'
  | 'masked-lm'
  | 'replaced-token-detection'
  | 'encoder'

export interface ModelInfo {
  /** By the checkpoint's architecture. */
  readonly task: Task
  /** 'cpu', 'reference', 'cuda'. */
  readonly device: string
  /** What runs: 'avx512', 'double accumulation', 'sm_90'. */
  readonly detail: string
  readonly dtype: string
  /** Why this device and dtype, in words. */
  readonly why: string
  /** Whether the checkpoint has what the enhanced mask decoder needs. */
  readonly hasEmd: boolean
  readonly numParameters: number
  readonly weightBytesMapped: number
  readonly weightBytesPacked: number
  /** Tensors of the checkpoint, left over from pre-training, that this task has no use for. */
  readonly ignoredTensors: readonly string[]
}

/** config.json as it is. */
export interface ModelConfig extends Readonly<Record<string, unknown>> {
  readonly architectures?: readonly string[]
  readonly hidden_size?: number
  readonly num_hidden_layers?: number
  readonly vocab_size?: number
  readonly max_position_embeddings?: number
  readonly id2label?: Readonly<Record<string, string>>
  readonly problem_type?: string | null
}

const defaultMaxBatchTokens = 16384
const defaultMaxLength = 512 // every published DeBERTa was trained on at most so many tokens

/** A loaded DeBERTa. Calls queue and run one after the other, off the main thread; weights are shared with the file. */
export class Model {
  readonly config: ModelConfig
  readonly info: ModelInfo
  /**
   * The longest text the pipelines take without being told otherwise: what tokenizer_config.json states, else
   * max_position_embeddings. forward() itself takes longer ones where the checkpoint has relative positions alone.
   */
  readonly maxLength: number
  readonly maxBatchTokens: number
  readonly #native: NativeModel
  readonly #tokenizer: Tokenizer | Error
  #disposed = false

  /** @internal Use loadModel(). */
  constructor(loaded: NativeLoadedModel, maxBatchTokens: number) {
    this.#native = loaded.model
    this.#tokenizer = loaded.tokenizer ? new Tokenizer(loaded.tokenizer) : (loaded.tokenizerError as Error)
    this.info = Object.freeze(loaded.model.describe()) as ModelInfo
    this.config = Object.freeze(JSON.parse(loaded.model.configJson()) as ModelConfig)
    this.maxBatchTokens = maxBatchTokens
    const stated = this.#tokenizer instanceof Tokenizer ? this.#tokenizer.modelMaxLength : undefined
    this.maxLength = stated ?? this.config.max_position_embeddings ?? defaultMaxLength
  }

  /**
   * The tokenizer of the model's folder.
   *
   * @throws DEBERTA_ERR_FILE_NOT_FOUND when the folder has none, DEBERTA_ERR_TOKENIZER_FILE when it is malformed,
   *   DEBERTA_ERR_DISPOSED
   */
  get tokenizer(): Tokenizer {
    this.#assertAlive()
    if (this.#tokenizer instanceof Tokenizer) return this.#tokenizer
    throw fromNative(this.#tokenizer)
  }

  /**
   * Runs sequences through the model. Results do not depend on which sequences share a call, bit for bit.
   *
   * @param sequences token ids, such as encodings of the tokenizer; ids must be below vocab_size
   * @returns the outputs asked for; per-token results are packed, [total_tokens, …], bounded by cuSeqlens
   * @throws DEBERTA_ERR_INVALID_ARGUMENT, DEBERTA_ERR_SEQUENCE_TOO_LONG (position-biased models), DEBERTA_ERR_OUT_OF_MEMORY,
   *   DEBERTA_ERR_DEVICE, DEBERTA_ERR_DISPOSED, and the signal's reason
   * @example
   * const { logits } = await model.forward([model.tokenizer.encode('Hello')])
   */
  async forward<const Output extends OutputName = 'logits'>(
    sequences: readonly SequenceInput[],
    options: ForwardOptions<Output> = {},
  ): Promise<ForwardResult<Output>> {
    this.#assertAlive()
    const { request, signal } = forwardRequest(sequences, options)
    return toForwardResult(await runJob(() => this.#native.forward(request), signal))
  }

  /**
   * The likeliest tokens of every masked row of a masked LM; the vocabulary is searched off the main thread.
   *
   * @throws as forward(); DEBERTA_ERR_INVALID_ARGUMENT for a model of another task
   */
  async topTokens(sequences: readonly SequenceInput[], options: TopTokensOptions = {}): Promise<TopTokens> {
    this.#assertAlive()
    if (this.info.task !== 'masked-lm') throw invalidArgument('a masked-lm model', 'model', this.info.task)
    const { request, signal } = topTokensRequest(sequences, options)
    return toTopTokens(await runJob(() => this.#native.forward(request), signal))
  }

  /**
   * The last hidden states as one vector per sequence, pooled off the main thread.
   *
   * @throws as forward()
   */
  async embed(sequences: readonly SequenceInput[], options: EmbedOptions = {}): Promise<Embeddings> {
    this.#assertAlive()
    const { request, signal } = embedRequest(sequences, options)
    return toEmbeddings(await runJob(() => this.#native.forward(request), signal))
  }

  /** Frees the weights and the tokenizer once running calls are done. Later calls throw DEBERTA_ERR_DISPOSED. */
  dispose(): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#native.dispose()
    if (this.#tokenizer instanceof Tokenizer) this.#tokenizer.dispose()
  }

  [disposeSymbol](): void {
    this.dispose()
  }

  async [asyncDisposeSymbol](): Promise<void> {
    this.dispose()
  }

  #assertAlive(): void {
    if (this.#disposed)
      throw new DebertaError('DEBERTA_ERR_DISPOSED', 'the model was disposed before the call')
  }
}

/**
 * Loads a checkpoint folder as the Hugging Face hub ships it: config.json with model.safetensors (whole or sharded) or
 * pytorch_model.bin, and the tokenizer's files where they are.
 *
 * @param directory path of the folder
 * @throws DEBERTA_ERR_FILE_NOT_FOUND, DEBERTA_ERR_MODEL_FILE, DEBERTA_ERR_UNSUPPORTED_CONFIG, DEBERTA_ERR_WEIGHT_*,
 *   DEBERTA_ERR_BACKEND_UNAVAILABLE, DEBERTA_ERR_OUT_OF_MEMORY, DEBERTA_ERR_INVALID_ARGUMENT, and the signal's reason
 * @example
 * const model = await loadModel('./models/deberta-mini-en', { device: 'cpu', dtype: 'float32' })
 */
export async function loadModel(directory: string, options: LoadModelOptions = {}): Promise<Model> {
  requiredString(directory, 'directory')
  checkOptionNames(options, loadModelOptionNames, 'loadModel')
  const device = checkDevice(options.device)
  const dtype = optionalChoice(options.dtype, 'dtype', dtypes) ?? 'auto'
  const threads = optionalInteger(options.threads, 'threads', { min: 1, max: 1024 }) ?? 0
  const maxBatchTokens =
    optionalInteger(options.maxBatchTokens, 'maxBatchTokens', { min: 1, max: 2 ** 31 - 1 }) ??
    defaultMaxBatchTokens
  const signal = optionalSignal(options.signal)
  const nativeOptions = { directory, device, dtype, threads, maxBatchTokens }
  const loaded = await runJob(() => native().loadModel(nativeOptions), signal)
  return callNative(() => new Model(loaded, maxBatchTokens))
}

function checkDevice(device: unknown): string {
  if (device === undefined) return 'auto'
  if (typeof device === 'string' && /^(auto|cpu|reference|cuda(:\d{1,3})?)$/.test(device)) return device
  throw invalidArgument("'auto', 'cpu', 'reference', 'cuda' or 'cuda:N'", 'device', device)
}
