// npm run bench:limits: what is promised beside speed (memory of a process, threads, a busy neighbour, tokenizer, AVX2), each
// measured and held against its bar. Wants a machine that does nothing else; the load that it finds is reported.
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeCheckpoint } from './checkpoint.mjs'
import { besideOnnxRuntime, longInput, secondInstance } from './limits/memory.mjs'
import { avx2, busyNeighbour, oneThreadToAll } from './limits/speed.mjs'
import { findVocabulary, tokenizerThreads } from './limits/tokenizer.mjs'
import { machine } from './machine.mjs'
import { shapes } from './shapes.mjs'

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'v3-base' },
    only: { type: 'string', default: '' },
    threads: { type: 'string', default: String(availableParallelism()) },
    rounds: { type: 'string', default: '7' },
    cache: { type: 'string', default: join(tmpdir(), 'deberta-bench') },
    output: { type: 'string', default: '' },
  },
})

/** By the name that --only takes; each resolves to rows `{ what, value, show, most or least }`. */
const checks = {
  'long-input': longInput,
  'second-instance': secondInstance,
  'beside-onnxruntime': besideOnnxRuntime,
  threads: oneThreadToAll,
  'busy-neighbour': busyNeighbour,
  avx2,
  tokenizer: tokenizerThreads,
}

function chosenChecks() {
  const names = flags.only ? flags.only.split(',') : Object.keys(checks)
  const unknown = names.find((name) => !checks[name])
  if (unknown) throw new Error(`unknown --only ${unknown}; one of ${Object.keys(checks).join(', ')}`)
  return names
}

const columns = (what, measured, bar, holds) =>
  `${what.padEnd(80)} ${measured.padEnd(26)} ${bar.padEnd(12)} ${holds}\n`

/** The row with `measured`, `bar` and `holds` in words, as printed. */
function judged({ what, value, show, most, least, missing }) {
  const limit = most ?? least
  const bar = limit === undefined ? '' : `${most === undefined ? '≥' : '≤'} ${shortened(limit, show)}`
  if (missing) return { what, measured: missing, bar, holds: 'unknown' }
  const holds =
    limit === undefined ? '' : (most === undefined ? value >= least : value <= most) ? 'yes' : 'NO'
  return { what, value, measured: show(value), bar, holds }
}

/** A limit as its row shows values, without what stands in brackets. */
const shortened = (limit, show) => (show ? show(limit).replace(/ \(.*/, '') : String(limit))

const names = chosenChecks()
mkdirSync(flags.cache, { recursive: true })
const settings = {
  model: flags.model,
  config: shapes[flags.model],
  checkpoint: makeCheckpoint(flags.model, 'float32', flags.cache),
  vocabulary: findVocabulary(),
  cache: flags.cache,
  threads: Number(flags.threads),
  rounds: Number(flags.rounds),
}
const report = {
  date: new Date().toISOString().slice(0, 10),
  model: flags.model,
  threads: settings.threads,
  machine: machine(),
  loadBefore: loadavg()[0],
  rows: [],
}
process.stdout.write(columns('what', 'measured', 'bar', 'holds'))
for (const name of names) {
  for (const row of await checks[name](settings)) {
    const { what, measured, bar, holds } = judged(row)
    report.rows.push({ check: name, ...judged(row) })
    process.stdout.write(columns(what, measured, bar, holds))
  }
}
process.stdout.write(`load of the machine before: ${report.loadBefore.toFixed(2)} (1 minute average)\n`)
if (flags.output) {
  mkdirSync(dirname(flags.output), { recursive: true })
  writeFileSync(flags.output, `${JSON.stringify(report, null, 1)}\n`)
}
