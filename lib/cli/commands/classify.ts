// deberta classify: labels and scores.
import { type Classification, pipeline, type ScoreActivation, type TextInput } from '../../index'
import { type Arguments, modelOptions, outputOptions, textOptions, UsageError } from '../arguments'
import {
  type Command,
  type Context,
  forEachBlock,
  inputFields,
  loadOptions,
  modelDirectory,
} from '../command'
import { shorten } from '../output'

function topKOf(args: Arguments): number | null {
  return args.string('top-k') === 'all' ? null : (args.integer('top-k') ?? 1)
}

async function run(context: Context): Promise<void> {
  const { args, output } = context
  const topK = topKOf(args)
  if (topK !== null && topK < 1) throw new UsageError(`expected a positive integer or 'all' for --top-k`)
  const activation = args.string('activation') as ScoreActivation | undefined
  const directory = modelDirectory(args, 'deberta-mini-en-sentiment')
  const classify = await pipeline('text-classification', directory, loadOptions(context))
  await forEachBlock(context, async ({ texts }, options) => {
    const results: Classification[][] = await classify(texts, { ...options, topK, activation })
    for (const [i, labels] of results.entries()) {
      const fields = inputFields(texts[i] as TextInput)
      await output.write(
        { ...fields, ...(topK === 1 ? labels[0] : { labels }) },
        labels.map(({ label, score }, rank) => [label, score, rank === 0 ? shorten(fields.text) : '']),
      )
    }
  })
}

export const classifyCommand: Command = {
  summary: 'label texts',
  operands: '[text …]',
  options: {
    ...modelOptions,
    ...textOptions,
    'top-k': { type: 'string', value: 'n', help: "how many labels, or 'all' (default: 1)" },
    activation: { type: 'string', value: 'name', help: "'auto' (default), 'softmax', 'sigmoid', 'none'" },
    ...outputOptions,
  },
  run,
}
