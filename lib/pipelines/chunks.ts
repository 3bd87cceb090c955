// Many texts in runs of bounded size: results stay small, progress can be told, and the model's queue serves concurrent
// callers in turn instead of one large job first.
import type { Encoding } from '../tokenizer'

export interface Chunk {
  readonly encodings: readonly Encoding[]
  /** Index of the first in the whole list. */
  readonly start: number
}

/** Runs of neighbouring encodings of at most `maxTokens` tokens together; a longer one stands alone. */
export function* chunksOf(encodings: readonly Encoding[], maxTokens: number): Generator<Chunk> {
  let start = 0
  let tokens = 0
  for (const [i, { inputIds }] of encodings.entries()) {
    if (i > start && tokens + inputIds.length > maxTokens) {
      yield { encodings: encodings.slice(start, i), start }
      start = i
      tokens = 0
    }
    tokens += inputIds.length
  }
  if (start < encodings.length) yield { encodings: encodings.slice(start), start }
}

/** Calls `run` for every chunk, two at a time, so that the model never waits for the shaping of results. */
export async function forEachChunk(
  encodings: readonly Encoding[],
  maxTokens: number,
  run: (chunk: Chunk) => Promise<void>,
): Promise<void> {
  let previous = Promise.resolve()
  for (const chunk of chunksOf(encodings, maxTokens)) {
    const current = run(chunk)
    current.catch(() => {}) // awaited one round later: not unhandled meanwhile
    await previous
    previous = current
  }
  await previous
}
