// pipeline(): a task and a model folder make a function from texts to results.
import { DebertaError, invalidArgument } from '../errors'
import { type LoadModelOptions, loadModel, loadModelOptionNames, Model, type Task } from '../model'
import { checkOptionNames } from '../options'
import { type FeatureExtractionPipeline, featureExtraction } from './feature-extraction'
import { type FillMaskPipeline, fillMask } from './fill-mask'
import { type TextClassificationPipeline, textClassification } from './text-classification'

export interface PipelineTasks {
  'text-classification': TextClassificationPipeline
  'fill-mask': FillMaskPipeline
  'feature-extraction': FeatureExtractionPipeline
}

export type PipelineTask = keyof PipelineTasks

/** Of which model task a pipeline is made (null: any), and how. */
const makers: {
  readonly [Name in PipelineTask]: {
    readonly needs: Task | null
    readonly make: (model: Model, ownsModel: boolean) => PipelineTasks[Name]
  }
} = {
  'text-classification': { needs: 'sequence-classification', make: textClassification },
  'fill-mask': { needs: 'masked-lm', make: fillMask },
  'feature-extraction': { needs: null, make: featureExtraction },
}

/**
 * Makes a function for a task.
 *
 * @param task 'text-classification', 'fill-mask' or 'feature-extraction'
 * @param model a checkpoint folder, or a loaded Model, which stays the caller's to dispose of
 * @param options as loadModel(); only with a folder
 * @throws as loadModel(); DEBERTA_ERR_INVALID_ARGUMENT for a model of another task
 * @example
 * const classify = await pipeline('text-classification', './my-model', { device: 'auto' })
 * await classify('What a film.') // { label: 'POSITIVE', score: 0.98 }
 */
export async function pipeline<Name extends PipelineTask>(
  task: Name,
  model: string | Model,
  options: LoadModelOptions = {},
): Promise<PipelineTasks[Name]> {
  if (!Object.hasOwn(makers, task))
    throw invalidArgument(
      Object.keys(makers)
        .map((name) => `'${name}'`)
        .join(' or '),
      'task',
      task,
    )
  const ownsModel = !(model instanceof Model)
  checkOptionNames(options, ownsModel ? loadModelOptionNames : [], 'pipeline')
  const loaded = ownsModel ? await loadModel(model, options) : model
  const { needs, make } = makers[task]
  if (needs !== null && loaded.info.task !== needs) {
    const { task: has } = loaded.info
    if (ownsModel) loaded.dispose()
    throw new DebertaError(
      'DEBERTA_ERR_INVALID_ARGUMENT',
      `the pipeline '${task}' needs a model of the task '${needs}', this one's is '${has}'`,
      { details: { task, needs, has } },
    )
  }
  return make(loaded, ownsModel)
}
