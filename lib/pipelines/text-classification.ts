// Texts to labels with scores: sentiment, topics, guards, natural-language inference, rerankers with one logit.
import type { Model } from '../model'
import { checkOptionNames, type OptionOf, optionalChoice, optionalInteger } from '../options'
import type { NoOptions, TextInput } from '../tokenizer'
import { callable, type PipelineProperties } from './callable'
import { forEachChunk } from './chunks'
import { checkRunOptions, encodeTexts, type RunOptions, runOptionNames } from './run-options'

export const activations = ['auto', 'softmax', 'sigmoid', 'none'] as const
/** What makes scores of logits; 'none' gives the raw logits. */
export type ScoreActivation = (typeof activations)[number]

export interface TextClassificationOptions extends RunOptions {
  /** How many labels, best first; null: all. Without it the result is the best label alone, not an array. */
  readonly topK?: number | null | undefined
  /** Default 'auto': sigmoid for one logit and for multi-label models, none for regression, else softmax. */
  readonly activation?: ScoreActivation | undefined
}

export interface Classification {
  readonly label: string
  readonly score: number
}

/** The best label, or with `topK` the best labels; either where the type of the options leaves it open. */
export type ClassificationFor<Options> =
  OptionOf<Options, 'topK'> extends number | null
    ? Classification[]
    : OptionOf<Options, 'topK'> extends undefined
      ? Classification
      : Classification | Classification[]

export interface TextClassificationPipeline extends PipelineProperties {
  /**
   * Classifies one text or pair, or many (one result per input, in order).
   *
   * @throws DEBERTA_ERR_SEQUENCE_TOO_LONG, DEBERTA_ERR_INVALID_ARGUMENT, DEBERTA_ERR_DISPOSED, and the signal's reason
   * @example
   * await classify('A gorgeous film.')                                       // { label: 'POSITIVE', score: 0.99 }
   * await classify({ text: 'It rains.', textPair: 'It is wet.' }, { topK: null })  // every label with its score
   */
  <const Options extends TextClassificationOptions = NoOptions>(
    input: TextInput,
    options?: Options,
  ): Promise<ClassificationFor<Options>>
  <const Options extends TextClassificationOptions = NoOptions>(
    inputs: readonly TextInput[],
    options?: Options,
  ): Promise<ClassificationFor<Options>[]>
}

export function textClassification(model: Model, ownsModel: boolean): TextClassificationPipeline {
  const labels = labelsOf(model)

  async function run(
    input: TextInput | readonly TextInput[],
    options: TextClassificationOptions = {},
  ): Promise<unknown> {
    checkOptionNames(options, ['topK', 'activation', ...runOptionNames], 'text-classification')
    const topK = options.topK === null ? labels.length : optionalInteger(options.topK, 'topK', { min: 1 })
    const activation = optionalChoice(options.activation, 'activation', activations) ?? 'auto'
    const checked = checkRunOptions(options, model)
    const texts = Array.isArray(input) ? (input as readonly TextInput[]) : [input as TextInput]
    const encodings = await encodeTexts(model, texts, checked)
    const results: Classification[][] = []
    await forEachChunk(encodings, model.maxBatchTokens, async (chunk) => {
      const { logits } = await model.forward(chunk.encodings, { signal: checked.signal })
      for (const i of chunk.encodings.keys()) {
        const scores = scoresOf(logits.row(i), resolveActivation(activation, model))
        results[chunk.start + i] = ranked(scores, labels).slice(0, topK ?? 1)
      }
      checked.onProgress?.({ done: chunk.start + chunk.encodings.length, total: texts.length })
    })
    const shaped = topK === undefined ? results.map(([best]) => best) : results
    return Array.isArray(input) ? shaped : shaped[0]
  }

  return callable(run, 'text-classification', model, ownsModel) as TextClassificationPipeline
}

function labelsOf(model: Model): string[] {
  const names = model.config.id2label ?? {}
  const declared = typeof model.config.num_labels === 'number' ? model.config.num_labels : 2
  const count = Math.max(1, Object.keys(names).length || declared)
  return Array.from({ length: count }, (_, i) => names[String(i)] ?? `LABEL_${i}`)
}

function resolveActivation(
  activation: ScoreActivation,
  { config }: Model,
): 'softmax' | 'sigmoid' | 'none' | 'auto' {
  if (activation !== 'auto') return activation
  if (config.problem_type === 'regression') return 'none'
  return config.problem_type === 'multi_label_classification' ? 'sigmoid' : 'auto'
}

/** In double: a float32 sigmoid reaches 1 at a logit of 17 and can rank nothing above it. */
function scoresOf(logits: Float32Array, activation: 'softmax' | 'sigmoid' | 'none' | 'auto'): number[] {
  if (activation === 'none') return Array.from(logits)
  if (activation === 'sigmoid' || (activation === 'auto' && logits.length === 1))
    return Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)))
  const largest = Math.max(...logits)
  const exponentials = Array.from(logits, (logit) => Math.exp(logit - largest))
  const sum = exponentials.reduce((total, each) => total + each, 0)
  return exponentials.map((each) => each / sum)
}

function ranked(scores: readonly number[], labels: readonly string[]): Classification[] {
  return scores
    .map((score, i) => ({ label: labels[i] ?? `LABEL_${i}`, score }))
    .sort((a, b) => b.score - a.score)
}
