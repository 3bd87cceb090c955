// The command line as values: which options there are, their types and ranges. What is wrong here is a usage error (exit 2).
import { type ParseArgsConfig, parseArgs } from 'node:util'

export class UsageError extends Error {}

export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  /** The word for the value in the help text. */
  readonly value?: string
  readonly help: string
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

export const modelOptions: OptionSpecs = {
  model: {
    type: 'string',
    value: 'dir',
    help: 'model folder (default: a small model that comes with the package)',
  },
  device: { type: 'string', value: 'name', help: "'auto' (default), 'cpu', 'reference', 'cuda', 'cuda:N'" },
  dtype: {
    type: 'string',
    value: 'name',
    help: "'auto' (default), 'float32', 'bfloat16', 'float16', 'int8'",
  },
  threads: { type: 'string', value: 'n', help: 'CPU threads (default: all)' },
  'max-batch-tokens': { type: 'string', value: 'n', help: 'tokens per batch (default: 16384)' },
}

export const textOptions: OptionSpecs = {
  file: { type: 'string', value: 'path', help: 'read texts from a .jsonl file or, line by line, any other' },
  'text-pair': { type: 'string', value: 'text', help: 'second text of the pair, for every text' },
  'max-length': { type: 'string', value: 'n', help: 'most tokens per text (default: what the model states)' },
  truncation: {
    type: 'string',
    value: 'how',
    help: "cut longer texts: 'longest_first', 'only_first', 'only_second' (default: an error)",
  },
}

export const outputOptions: OptionSpecs = {
  json: { type: 'boolean', help: 'JSON lines, also on a terminal' },
}

/** Values of one command's options. */
export class Arguments {
  readonly positionals: readonly string[]
  readonly #values: Readonly<Record<string, unknown>>

  constructor(argv: readonly string[], specs: OptionSpecs) {
    const options: NonNullable<ParseArgsConfig['options']> = {}
    for (const [name, { type }] of Object.entries(specs)) options[name] = { type }
    try {
      const parsed = parseArgs({ args: [...argv], options, allowPositionals: true })
      this.positionals = parsed.positionals
      this.#values = parsed.values
    } catch (error) {
      throw new UsageError(error instanceof Error ? error.message : String(error))
    }
  }

  flag(name: string): boolean {
    return this.#values[name] === true
  }

  string(name: string): string | undefined {
    const value = this.#values[name]
    return typeof value === 'string' ? value : undefined
  }

  integer(name: string): number | undefined {
    const text = this.string(name)
    if (text === undefined) return undefined
    const value = Number(text)
    if (text.trim() === '' || !Number.isInteger(value))
      throw new UsageError(`expected an integer for --${name}, got '${text}'`)
    return value
  }
}
