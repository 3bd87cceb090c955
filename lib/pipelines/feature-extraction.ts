// Texts to vectors: the last hidden states, pooled and normalized on request.
import type { Model } from '../model'
import type { Pooling } from '../model/forward-request'
import { poolings } from '../model/forward-request'
import { checkOptionNames, type OptionOf, optionalBoolean, optionalChoice } from '../options'
import { Tensor } from '../tensor'
import type { NoOptions, TextInput } from '../tokenizer'
import { callable, type PipelineProperties } from './callable'
import { forEachChunk } from './chunks'
import { checkRunOptions, encodeTexts, type RunOptions, runOptionNames } from './run-options'

export interface FeatureExtractionOptions extends RunOptions {
  /** 'none' (default): every token; 'cls': the first token; 'mean': all tokens, special ones included. */
  readonly pooling?: Pooling | undefined
  /** Divide each vector by its Euclidean norm; default false. */
  readonly normalize?: boolean | undefined
}

/** Of many texts: one tensor with a row per text, or without pooling one tensor per text. */
export type FeaturesFor<Options> =
  OptionOf<Options, 'pooling'> extends 'cls' | 'mean'
    ? Tensor
    : OptionOf<Options, 'pooling'> extends 'none' | undefined
      ? Tensor[]
      : Tensor | Tensor[]

export interface FeatureExtractionPipeline extends PipelineProperties {
  /**
   * Embeds one text or pair, or many.
   *
   * @returns one text: [n, hidden_size], pooled [hidden_size]; many: an array of these, pooled [texts, hidden_size]
   * @throws DEBERTA_ERR_SEQUENCE_TOO_LONG, DEBERTA_ERR_INVALID_ARGUMENT, DEBERTA_ERR_DISPOSED, and the signal's reason
   * @example
   * const { data, dims } = await extract(['a text', 'another'], { pooling: 'mean', normalize: true }) // dims: [2, 192]
   */
  (input: TextInput, options?: FeatureExtractionOptions): Promise<Tensor>
  <const Options extends FeatureExtractionOptions = NoOptions>(
    inputs: readonly TextInput[],
    options?: Options,
  ): Promise<FeaturesFor<Options>>
}

export function featureExtraction(model: Model, ownsModel: boolean): FeatureExtractionPipeline {
  async function run(
    input: TextInput | readonly TextInput[],
    options: FeatureExtractionOptions = {},
  ): Promise<Tensor | Tensor[]> {
    checkOptionNames(options, ['pooling', 'normalize', ...runOptionNames], 'feature-extraction')
    const pooling = optionalChoice(options.pooling, 'pooling', poolings) ?? 'none'
    const normalize = optionalBoolean(options.normalize, 'normalize') ?? false
    const checked = checkRunOptions(options, model)
    const texts = Array.isArray(input) ? (input as readonly TextInput[]) : [input as TextInput]
    const encodings = await encodeTexts(model, texts, checked)
    const rows: Tensor[] = []
    await forEachChunk(encodings, model.maxBatchTokens, async ({ encodings: chunk, start }) => {
      const { signal } = checked
      const { embeddings, cuSeqlens } = await model.embed(chunk, { pooling, normalize, signal })
      for (const i of chunk.keys())
        rows[start + i] = pooling === 'none' ? tokenRows(embeddings, cuSeqlens, i) : vectorOf(embeddings, i)
      checked.onProgress?.({ done: start + chunk.length, total: texts.length })
    })
    if (!Array.isArray(input)) return rows[0] as Tensor
    return pooling === 'none' ? rows : stack(rows, model)
  }

  return callable(run, 'feature-extraction', model, ownsModel) as FeatureExtractionPipeline
}

/** The rows of sequence `index`, [n, hidden_size]. */
function tokenRows({ data, dims }: Tensor, cuSeqlens: Int32Array, index: number): Tensor {
  const [, hiddenSize = 0] = dims
  const begin = cuSeqlens[index] ?? 0
  const end = cuSeqlens[index + 1] ?? 0
  return new Tensor(data.subarray(begin * hiddenSize, end * hiddenSize), [end - begin, hiddenSize])
}

function vectorOf(embeddings: Tensor, index: number): Tensor {
  const vector = embeddings.row(index)
  return new Tensor(vector, [vector.length])
}

function stack(vectors: readonly Tensor[], { config }: Model): Tensor {
  const hiddenSize = vectors[0]?.data.length ?? config.hidden_size ?? 0
  const data = new Float32Array(vectors.length * hiddenSize)
  for (const [i, vector] of vectors.entries()) data.set(vector.data, i * hiddenSize)
  return new Tensor(data, [vectors.length, hiddenSize])
}
