// Where the texts come from: arguments, a file, or the lines of stdin; in blocks, so that a large file never is in memory
// at once.
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { DebertaError, type TextInput } from '../index'
import { type Arguments, UsageError } from './arguments'

const blockTexts = 256

export interface TextBlock {
  readonly texts: readonly TextInput[]
  /** Index of the first among all texts. */
  readonly start: number
}

/** All texts of the call. @throws UsageError when there is no source of texts */
export async function* textBlocks(
  args: Arguments,
  stdin: Readable & { readonly isTTY?: boolean },
): AsyncGenerator<TextBlock> {
  const textPair = args.string('text-pair')
  let block: TextInput[] = []
  let start = 0
  for await (const text of texts(args, stdin)) {
    block.push(textPair === undefined || typeof text !== 'string' ? text : { text, textPair })
    if (block.length < blockTexts) continue
    yield { texts: block, start }
    start += block.length
    block = []
  }
  if (block.length > 0) yield { texts: block, start }
}

async function* texts(
  args: Arguments,
  stdin: Readable & { readonly isTTY?: boolean },
): AsyncGenerator<TextInput> {
  const file = args.string('file')
  if (file !== undefined && args.positionals.length > 0)
    throw new UsageError('give texts as arguments or with --file, not both')
  if (file !== undefined) yield* fileTexts(file)
  else if (args.positionals.length > 0) yield* args.positionals
  else if (stdin.isTTY) throw new UsageError('no texts: give them as arguments, with --file, or on stdin')
  else yield* lines(stdin)
}

async function* fileTexts(file: string): AsyncGenerator<TextInput> {
  const jsonl = /\.(jsonl|ndjson)$/i.test(file)
  let number = 0
  try {
    for await (const line of lines(createReadStream(file))) {
      number++
      if (!jsonl) yield line
      else if (line.trim() !== '') yield jsonText(line, `${file}:${number}`)
    }
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT')
      throw new DebertaError('DEBERTA_ERR_FILE_NOT_FOUND', `expected a file '${file}'`, { cause: error })
    throw error
  }
}

function lines(stream: Readable): AsyncIterable<string> {
  return createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
}

/** A line of JSON: a string, or an object with `text` and perhaps `textPair` (or `text_pair`). */
function jsonText(line: string, where: string): TextInput {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw invalidLine(where, error)
  }
  if (typeof value === 'string') return value
  const { text, textPair, text_pair: snakePair } = (value ?? {}) as Record<string, unknown>
  const pair = textPair ?? snakePair
  if (typeof text !== 'string' || (pair !== undefined && typeof pair !== 'string')) throw invalidLine(where)
  return pair === undefined ? text : { text, textPair: pair }
}

function invalidLine(where: string, cause?: unknown): DebertaError {
  return new DebertaError(
    'DEBERTA_ERR_INVALID_ARGUMENT',
    `expected a JSON string or an object with \`text\` at ${where}`,
    { cause },
  )
}
