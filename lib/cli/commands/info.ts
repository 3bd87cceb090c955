// deberta info: what a model folder holds and how it would run.
import { loadModel } from '../../index'
import { modelOptions, outputOptions, UsageError } from '../arguments'
import { type Command, type Context, loadOptions, modelDirectory } from '../command'

async function run(context: Context): Promise<void> {
  const { args, output } = context
  const [directory = modelDirectory(args, 'deberta-mini-en'), ...rest] = args.positionals
  if (rest.length > 0) throw new UsageError('info takes one model folder')
  const model = await loadModel(directory, loadOptions(context))
  const { id2label } = model.config
  const record = {
    directory,
    ...model.info,
    maxLength: model.maxLength,
    ...(model.info.task.endsWith('classification') && id2label && { labels: Object.values(id2label) }),
  }
  await output.write(
    record,
    Object.entries(record).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : String(value),
    ]),
  )
}

export const infoCommand: Command = {
  summary: 'describe a model',
  operands: '[dir]',
  options: { ...modelOptions, ...outputOptions },
  run,
}
