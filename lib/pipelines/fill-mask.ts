// Texts with [MASK] to the likeliest tokens. Uses the enhanced mask decoder wherever the checkpoint has it.
import { setImmediate } from 'node:timers/promises'
import { DebertaError } from '../errors'
import type { Model } from '../model'
import { checkOptionNames, optionalInteger } from '../options'
import type { Encoding } from '../tokenizer'
import { callable, type PipelineProperties } from './callable'
import { forEachChunk } from './chunks'
import { checkRunOptions, encodeTexts, type RunOptions, runOptionNames } from './run-options'

// Decoding a prediction takes about 5 µs of JavaScript's thread: after so many others get their turn.
const predictionsAtATime = 512

export interface FillMaskOptions extends RunOptions {
  /** How many tokens per mask, best first; default 5. */
  readonly topK?: number | undefined
}

export interface FillMaskPrediction {
  /** Softmax over the whole vocabulary. */
  readonly score: number
  readonly token: number
  /** The token as text. */
  readonly tokenString: string
  /** The text with this mask filled; other masks of the text stay. */
  readonly sequence: string
  /** Which mask of the text: 0, 1, … */
  readonly mask: number
}

export interface FillMaskPipeline extends PipelineProperties {
  /**
   * Predicts every mask of one text, or of many (one result per text, in order). Of the special tokens only the mask is
   * recognised in a text.
   *
   * @returns `topK` predictions per mask, mask after mask
   * @throws DEBERTA_ERR_INVALID_ARGUMENT for a text without a mask; DEBERTA_ERR_SEQUENCE_TOO_LONG, DEBERTA_ERR_DISPOSED, and
   *   the signal's reason
   * @example
   * const [best] = await fillMask('She opened the [MASK] and walked into the room.')
   */
  (text: string, options?: FillMaskOptions): Promise<FillMaskPrediction[]>
  (texts: readonly string[], options?: FillMaskOptions): Promise<FillMaskPrediction[][]>
}

export function fillMask(model: Model, ownsModel: boolean): FillMaskPipeline {
  async function run(
    input: string | readonly string[],
    options: FillMaskOptions = {},
  ): Promise<FillMaskPrediction[] | FillMaskPrediction[][]> {
    checkOptionNames(options, ['topK', ...runOptionNames], 'fill-mask')
    const topK = optionalInteger(options.topK, 'topK', { min: 1 }) ?? 5
    const checked = checkRunOptions(options, model)
    const texts = typeof input === 'string' ? [input] : input
    const encodings = await encodeTexts(model, texts, checked, 'mask')
    const masks = encodings.map((encoding, i) => maskPositions(model, encoding, i))
    const results: FillMaskPrediction[][] = []
    await forEachChunk(encodings, model.maxBatchTokens, async ({ encodings: chunk, start }) => {
      const positions = masks.slice(start, start + chunk.length)
      const { ids, scores, k } = await model.topTokens(chunk, { topK, positions, signal: checked.signal })
      let row = 0
      let sinceTurn = 0
      for (const [i, encoding] of chunk.entries()) {
        const ofText: FillMaskPrediction[] = []
        for (const [mask, position] of (positions[i] ?? []).entries()) {
          const begin = row++ * k
          const best = { ids: ids.subarray(begin, begin + k), scores: scores.subarray(begin, begin + k) }
          ofText.push(...predictions(model, encoding, position, mask, best))
        }
        results[start + i] = ofText
        sinceTurn += ofText.length
        if (sinceTurn < predictionsAtATime) continue
        await setImmediate()
        sinceTurn = 0
      }
      checked.onProgress?.({ done: start + chunk.length, total: texts.length })
    })
    return typeof input === 'string' ? (results[0] ?? []) : results
  }

  return callable(run, 'fill-mask', model, ownsModel) as FillMaskPipeline
}

function maskPositions({ tokenizer }: Model, { inputIds }: Encoding, index: number): number[] {
  const { mask } = tokenizer.specialTokens
  const positions = Array.from(inputIds.keys()).filter((position) => inputIds[position] === mask)
  if (mask !== undefined && positions.length > 0) return positions
  throw new DebertaError(
    'DEBERTA_ERR_INVALID_ARGUMENT',
    mask === undefined
      ? 'the tokenizer has no mask token'
      : `expected ${tokenizer.idToToken(mask)} in text ${index}, found none`,
    { details: { index } },
  )
}

function predictions(
  { tokenizer }: Model,
  { inputIds }: Encoding,
  position: number,
  mask: number,
  best: { readonly ids: Int32Array; readonly scores: Float64Array },
): FillMaskPrediction[] {
  const { cls, sep } = tokenizer.specialTokens
  return Array.from(best.ids, (token, i) => {
    const filled = inputIds.with(position, token).filter((id) => id !== cls && id !== sep)
    return {
      score: best.scores[i] ?? 0,
      token,
      tokenString: tokenizer.decode([token], { skipSpecialTokens: false }),
      sequence: tokenizer.decode(filled, { skipSpecialTokens: false }),
      mask,
    }
  })
}
