// What a command is, and what the commands over texts have in common.
import type { Readable, Writable } from 'node:stream'
import {
  type BundledModelName,
  bundledModelPath,
  DebertaError,
  type DeviceName,
  type DType,
  type LoadModelOptions,
  type Progress,
  type RunOptions,
  type Truncation,
} from '../index'
import type { Arguments, OptionSpecs } from './arguments'
import type { Output } from './output'
import { ProgressLine } from './progress'
import { type TextBlock, textBlocks } from './texts'

export interface Context {
  readonly args: Arguments
  readonly output: Output
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** Where the progress line goes; null: nowhere. */
  readonly progress: Writable | null
  /** Aborted by an interrupt (Ctrl-C). */
  readonly signal: AbortSignal
}

export interface Command {
  readonly summary: string
  /** What stands after the name in the usage line. */
  readonly operands: string
  readonly options: OptionSpecs
  run(context: Context): Promise<void>
}

/** --model, or a model that comes with the package. */
export function modelDirectory(args: Arguments, bundled: BundledModelName): string {
  return args.string('model') ?? bundledModelPath(bundled)
}

/** The options of loadModel(); their values are checked there. */
export function loadOptions({ args, signal }: Context): LoadModelOptions {
  return {
    device: args.string('device') as DeviceName | undefined,
    dtype: args.string('dtype') as DType | undefined,
    threads: args.integer('threads'),
    maxBatchTokens: args.integer('max-batch-tokens'),
    signal,
  }
}

/** Runs `handle` for every block of texts with the pipeline options of the command line. */
export async function forEachBlock(
  context: Context,
  handle: (block: TextBlock, options: RunOptions) => Promise<void>,
): Promise<void> {
  const { args, stdin, signal } = context
  const line = new ProgressLine(context.progress)
  try {
    for await (const block of textBlocks(args, stdin)) {
      const onProgress = ({ done }: Progress): void => line.update(block.start + done)
      const truncation = args.string('truncation') as Truncation | undefined
      await handle(block, { maxLength: args.integer('max-length'), truncation, signal, onProgress }).catch(
        (error: unknown) => {
          throw countedFromStart(error, block.start)
        },
      )
    }
  } finally {
    line.clear()
  }
}

/** Errors name the text by its index in the block: makes that its index in the whole input. */
function countedFromStart(error: unknown, start: number): unknown {
  if (!(error instanceof DebertaError) || start === 0) return error
  const message = error.message.replace(/\btext (\d+)/, (_, index) => `text ${start + Number(index)}`)
  return new DebertaError(error.code, message, { details: error.details, cause: error })
}

/** The input of a result as it stands in the output. */
export function inputFields(input: TextBlock['texts'][number]): { text: string; textPair?: string } {
  if (typeof input === 'string') return { text: input }
  return { text: input.text, ...(input.textPair !== undefined && { textPair: input.textPair }) }
}
