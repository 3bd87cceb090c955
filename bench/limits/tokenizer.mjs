// Tokens per second of the tokenizer: one thread, two threads of JavaScript (worker_threads) at once, and encodeBatch(), which
// splits its texts over the compute threads.
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { loadTokenizer } from '../../dist/index.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const shared = process.env.DEBERTA_SHARED_FIXTURES ?? join(root, '../shared/fixtures')
const rounds = 30

/** The folder of v3's published vocabulary where it is at hand, else undefined. */
export function findVocabulary() {
  const folder = join(shared, 'external/deberta-v3')
  return existsSync(join(folder, 'spm.model')) ? folder : undefined
}

/** English lines, about 1.2 million characters. */
function readLines() {
  const wikitext = join(shared, 'external/data/text/wikitext2_test.txt')
  const file = existsSync(wikitext) ? wikitext : join(root, 'bench/quality/sentences.txt')
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.length > 20)
  const characters = lines.reduce((sum, line) => sum + line.length, 0)
  return Array.from({ length: Math.ceil(1.2e6 / characters) }, () => lines).flat()
}

const answer = async (worker) => (await once(worker, 'message'))[0]

/** Most tokens per second of `count` workers that encode all lines at once. */
async function workerRate(count, folder, lines) {
  const file = new URL('tokenizer-worker.mjs', import.meta.url)
  const workers = Array.from({ length: count }, () => new Worker(file, { workerData: { folder, lines } }))
  await Promise.all(workers.map(answer))
  let best = 0
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    for (const worker of workers) worker.postMessage('encode')
    const tokens = (await Promise.all(workers.map(answer))).reduce((sum, n) => sum + n, 0)
    best = Math.max(best, tokens / (performance.now() - start))
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
  return 1000 * best
}

async function batchRate(folder, lines) {
  const tokenizer = await loadTokenizer(folder)
  let best = 0
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    const encodings = await tokenizer.encodeBatch(lines)
    const tokens = encodings.reduce((sum, { inputIds }) => sum + inputIds.length, 0)
    best = Math.max(best, tokens / (performance.now() - start))
  }
  tokenizer.dispose()
  return 1000 * best
}

const millions = (value) => `${(value / 1e6).toFixed(1)} M/s`

export async function tokenizerThreads({ vocabulary }) {
  const folder = vocabulary ?? join(root, 'models/deberta-mini-en')
  const of = vocabulary ? "tokens of English, v3's vocabulary" : 'tokens of English, 8,000 piece vocabulary'
  const lines = readLines()
  const one = await workerRate(1, folder, lines)
  const two = await workerRate(2, folder, lines)
  return [
    { what: `${of}: one thread`, value: one, show: millions, least: 2e6 },
    {
      what: `${of}: two threads to one`,
      value: two / one,
      show: (value) => `${value.toFixed(2)}× (${millions(two)})`,
      least: 1.9,
    },
    { what: `${of}: encodeBatch()`, value: await batchRate(folder, lines), show: millions },
  ]
}
