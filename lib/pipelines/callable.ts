// A pipeline is a function with a model: this makes one of the function.
import { asyncDisposeSymbol, disposeSymbol } from '../dispose'
import type { Model } from '../model'

export interface PipelineProperties {
  readonly task: string
  readonly model: Model
  /** Disposes of the model, when the pipeline loaded it itself. */
  dispose(): void
  [Symbol.dispose](): void
  [Symbol.asyncDispose](): Promise<void>
}

/** `run` with `task`, `model` and disposal; `ownsModel`: whether dispose() ends the model too. */
export function callable<Run extends (...args: never[]) => unknown>(
  run: Run,
  task: string,
  model: Model,
  ownsModel: boolean,
): Run & PipelineProperties {
  const dispose = (): void => {
    if (ownsModel) model.dispose()
  }
  return Object.assign(run, {
    task,
    model,
    dispose,
    [disposeSymbol]: dispose,
    [asyncDisposeSymbol]: async () => dispose(),
  })
}
