// deberta fill-mask: the likeliest tokens for every [MASK].
import { type FillMaskPrediction, pipeline } from '../../index'
import { modelOptions, outputOptions, textOptions } from '../arguments'
import {
  type Command,
  type Context,
  forEachBlock,
  inputFields,
  loadOptions,
  modelDirectory,
} from '../command'
import { shorten } from '../output'

async function run(context: Context): Promise<void> {
  const { args, output } = context
  const topK = args.integer('top-k')
  const fill = await pipeline('fill-mask', modelDirectory(args, 'deberta-mini-en'), loadOptions(context))
  await forEachBlock(context, async (block, options) => {
    const texts = block.texts.map((input) => inputFields(input).text)
    const results: FillMaskPrediction[][] = await fill(texts, { ...options, topK })
    for (const [i, predictions] of results.entries())
      await output.write(
        { text: texts[i], predictions },
        predictions.map(({ tokenString, score, sequence }) => [tokenString, score, shorten(sequence)]),
      )
  })
}

const { 'text-pair': _noPairs, ...options } = textOptions

export const fillMaskCommand: Command = {
  summary: 'predict [MASK]',
  operands: '[text …]',
  options: {
    ...modelOptions,
    ...options,
    'top-k': { type: 'string', value: 'n', help: 'how many tokens per mask (default: 5)' },
    ...outputOptions,
  },
  run,
}
