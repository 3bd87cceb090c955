// deberta embed: one vector per text.
import { type Pooling, pipeline, type TextInput } from '../../index'
import { modelOptions, outputOptions, textOptions, UsageError } from '../arguments'
import {
  type Command,
  type Context,
  forEachBlock,
  inputFields,
  loadOptions,
  modelDirectory,
} from '../command'
import { shorten } from '../output'

const shownNumbers = 4

function poolingOf(name: string | undefined): Exclude<Pooling, 'none'> {
  if (name === undefined || name === 'mean') return 'mean'
  if (name === 'cls') return 'cls'
  throw new UsageError(`expected 'mean' or 'cls' for --pooling, got '${name}'`)
}

async function run(context: Context): Promise<void> {
  const { args, output } = context
  const pooling = poolingOf(args.string('pooling'))
  const normalize = !args.flag('no-normalize')
  const directory = modelDirectory(args, 'deberta-mini-en')
  const extract = await pipeline('feature-extraction', directory, loadOptions(context))
  await forEachBlock(context, async ({ texts }, options) => {
    const embeddings = await extract(texts, { ...options, pooling, normalize })
    for (const [i, input] of texts.entries()) {
      const fields = inputFields(input as TextInput)
      const embedding = Array.from(embeddings.row(i))
      const shown = embedding.slice(0, shownNumbers).map((value) => value.toFixed(4))
      await output.write({ ...fields, embedding }, [
        [`[${shown.join(', ')}, …]`, `${embedding.length} numbers`, shorten(fields.text)],
      ])
    }
  })
}

export const embedCommand: Command = {
  summary: 'turn texts into vectors',
  operands: '[text …]',
  options: {
    ...modelOptions,
    ...textOptions,
    pooling: { type: 'string', value: 'how', help: "'mean' (default) or 'cls'" },
    'no-normalize': { type: 'boolean', help: 'keep the length of the vectors' },
    ...outputOptions,
  },
  run,
}
