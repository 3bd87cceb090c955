// What a number format costs in decisions: `npm run bench:quality`. The bundled trained models and copies of them with outlier
// channels (quality/outliers.mjs), each dtype against float32 of the same weights: largest and mean logit error relative to
// the spread of the logits, and decisions that change. Texts: SST-2 dev where it is at hand, else quality/sentences.txt.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DebertaError, loadModel } from '../dist/index.mjs'
import { machine } from './machine.mjs'
import { makeOutlierCopy } from './quality/outliers.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: flags } = parseArgs({
  options: {
    dtypes: { type: 'string', default: 'bfloat16,int8' },
    cache: { type: 'string', default: join(tmpdir(), 'deberta-bench') },
    output: { type: 'string', default: '' },
  },
})

function readTexts() {
  const shared = process.env.DEBERTA_SHARED_FIXTURES ?? join(here, '../../shared/fixtures')
  const sst2 = join(shared, 'external/data/sst2/dev.tsv')
  const file = existsSync(sst2) ? sst2 : join(here, 'quality/sentences.txt')
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return {
    source: existsSync(sst2) ? 'SST-2 dev' : 'bench/quality/sentences.txt',
    texts: lines.map((line) => line.split('\t')[0]),
  }
}

/** Logits of every text, one row per decision: `[rows][labels]`. */
async function classifierRows(model, texts) {
  const sequences = texts.map((text) => model.tokenizer.encode(text))
  const { logits } = await model.forward(sequences)
  return rowsOf(logits)
}

/** Every seventh token of every text is masked, one row of vocabulary logits each. */
async function maskedRows(model, texts) {
  const { mask } = model.tokenizer.specialTokens
  const sequences = []
  for (const text of texts.slice(0, 300)) {
    const { inputIds } = model.tokenizer.encode(text)
    for (let at = 3; at < inputIds.length - 1; at += 7) {
      const copy = Int32Array.from(inputIds)
      copy[at] = mask
      sequences.push({ inputIds: copy })
    }
  }
  const { logits } = await model.forward(sequences)
  return rowsOf(logits)
}

function rowsOf({ data, dims }) {
  const width = dims[1]
  return Array.from({ length: dims[0] }, (_, row) => data.subarray(row * width, (row + 1) * width))
}

function argmax(row) {
  let best = 0
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i
  return best
}

function compare(rows, reference) {
  let flips = 0
  let largest = 0
  let sum = 0
  let square = 0
  let count = 0
  for (const [r, expected] of reference.entries()) {
    if (argmax(rows[r]) !== argmax(expected)) flips++
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs(rows[r][i] - expected[i])
      largest = Math.max(largest, error)
      sum += error
      square += expected[i] ** 2
      count++
    }
  }
  const spread = Math.sqrt(square / count)
  return { decisions: reference.length, flips, maxError: largest / spread, meanError: sum / count / spread }
}

async function run(folder, dtype, texts) {
  const model = await loadModel(folder, { device: 'cpu', dtype })
  const rows =
    model.info.task === 'masked-lm' ? await maskedRows(model, texts) : await classifierRows(model, texts)
  const { detail } = model.info
  model.dispose()
  return { rows, detail }
}

async function reportFor(folder, name, texts) {
  const reference = await run(folder, 'float32', texts)
  const results = []
  for (const dtype of flags.dtypes.split(',')) {
    try {
      const { rows, detail } = await run(folder, dtype, texts)
      results.push({ model: name, dtype, detail, ...compare(rows, reference.rows) })
    } catch (error) {
      if (!(error instanceof DebertaError) || error.code !== 'DEBERTA_ERR_BACKEND_UNAVAILABLE') throw error
      process.stderr.write(`${dtype}: ${error.message}\n`)
    }
  }
  return results
}

function print({ model, dtype, detail, decisions, flips, maxError, meanError }) {
  const share = `${((100 * flips) / decisions).toFixed(2)} %`
  process.stdout.write(
    `${model.padEnd(36)} ${dtype.padEnd(9)} ${detail.padEnd(14)} flips ${String(flips).padStart(4)} of ${decisions} (${share})  ` +
      `error of logits: mean ${(100 * meanError).toFixed(2)} %, largest ${(100 * maxError).toFixed(1)} %\n`,
  )
}

mkdirSync(flags.cache, { recursive: true })
const { source, texts } = readTexts()
const report = { date: new Date().toISOString().slice(0, 10), machine: machine(), texts: source, rows: [] }
for (const name of ['deberta-mini-en-sentiment', 'deberta-mini-en']) {
  const folder = join(here, '../models', name)
  const copies = ['exact', 'gains'].map((kind) => [
    makeOutlierCopy(folder, kind, flags.cache),
    `${name} (${kind})`,
  ])
  for (const [path, label] of [[folder, name], ...copies]) {
    for (const row of await reportFor(path, label, texts)) {
      print(row)
      report.rows.push(row)
    }
  }
}
if (flags.output) writeFileSync(flags.output, `${JSON.stringify(report, null, 1)}\n`)
