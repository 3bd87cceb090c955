// What a number format costs in decisions: `npm run bench:quality`. The bundled trained models and copies of them with outlier
// channels (quality/outliers.mjs), each dtype against float32 of the same weights: errors of the logits and decisions that
// change, on the texts of quality/texts.mjs. `--held-out` adds texts that no setting was chosen on.
import { mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { DebertaError, loadModel } from '../dist/index.mjs'
import { machine } from './machine.mjs'
import { compareRows, decisionRows } from './quality/decisions.mjs'
import { makeOutlierCopy } from './quality/outliers.mjs'
import { textSets } from './quality/texts.mjs'

const MASKED_LM_TEXTS = 1000 // of a set: a text has several masks, a mask thousands of logits

const here = fileURLToPath(new URL('.', import.meta.url))
const { values: flags } = parseArgs({
  options: {
    dtypes: { type: 'string', default: 'bfloat16,int8' },
    threads: { type: 'string', default: '0' },
    'held-out': { type: 'boolean', default: false },
    cache: { type: 'string', default: join(tmpdir(), 'deberta-bench') },
    output: { type: 'string', default: '' },
  },
})

async function run(folder, dtype, texts) {
  const model = await loadModel(folder, { device: 'cpu', dtype, threads: Number(flags.threads) })
  const { detail, task } = model.info
  const rows = await decisionRows(model, task === 'masked-lm' ? texts.slice(0, MASKED_LM_TEXTS) : texts)
  model.dispose()
  return { rows, detail }
}

async function reportFor(folder, model, { name, texts }) {
  const reference = await run(folder, 'float32', texts)
  const results = []
  for (const dtype of flags.dtypes.split(',')) {
    try {
      const { rows, detail } = await run(folder, dtype, texts)
      results.push({ model, texts: name, dtype, detail, ...compareRows(rows, reference.rows) })
    } catch (error) {
      if (!(error instanceof DebertaError) || error.code !== 'DEBERTA_ERR_BACKEND_UNAVAILABLE') throw error
      process.stderr.write(`${dtype}: ${error.message}\n`)
    }
  }
  return results
}

const percent = (share, digits) => `${(100 * share).toFixed(digits)} %`

function print({ model, texts, dtype, detail, decisions, choices, flips, maxError, rmsError }) {
  process.stdout.write(
    `${model.padEnd(34)} ${texts.padEnd(15)} ${dtype.padEnd(9)} ${detail.padEnd(12)} ` +
      `flips ${String(flips).padStart(3)} of ${decisions} (${percent(flips / decisions, 2)}) among ${choices} choices  ` +
      `error of logits: rms ${percent(rmsError, 2)}, largest ${percent(maxError, 1)}\n`,
  )
}

mkdirSync(flags.cache, { recursive: true })
const sets = textSets({ heldOut: flags['held-out'] })
const report = { date: new Date().toISOString().slice(0, 10), machine: machine(), rows: [] }
for (const name of ['deberta-mini-en-sentiment', 'deberta-mini-en']) {
  const folder = join(here, '../models', name)
  const copies = ['exact', 'gains'].map((kind) => [
    makeOutlierCopy(folder, kind, flags.cache),
    `${name} (${kind})`,
  ])
  for (const [path, label] of [[folder, name], ...copies]) {
    for (const set of sets) {
      for (const row of await reportFor(path, label, set)) {
        print(row)
        report.rows.push(row)
      }
    }
  }
}
if (flags.output) writeFileSync(flags.output, `${JSON.stringify(report, null, 1)}\n`)
