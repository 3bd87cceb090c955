// npm run bench: times this package, and with --peers what people would use instead, on one machine in one run.
// Every library is a process of its own; their runs are interleaved; outputs are compared before anything is timed.
import { mkdirSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { makeCheckpoint } from './checkpoint.mjs'
import { Driver } from './drivers/protocol.mjs'
import { machine, measurePeaks } from './machine.mjs'
import { peerDrivers } from './peers.mjs'
import { printTable, writeResults } from './report.mjs'
import { minimalFlops, shapes } from './shapes.mjs'
import { summary } from './statistics.mjs'
import { makeWorkload } from './workloads.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string', default: 'v3-base' },
    workloads: { type: 'string', default: '1x16,1x64,1x128,1x512,8x128,32x128,ragged-32' },
    dtypes: { type: 'string', default: 'float32' },
    storage: { type: 'string', default: 'float32' },
    device: { type: 'string', default: 'cpu' },
    peers: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    threads: { type: 'string', default: String(availableParallelism()) },
    seconds: { type: 'string', default: '6' },
    cache: { type: 'string', default: join(tmpdir(), 'deberta-bench') },
    output: { type: 'string', default: '' },
  },
})

const threads = Number(flags.threads)
const config = shapes[flags.model]
if (!config) throw new Error(`unknown --model ${flags.model}; one of ${Object.keys(shapes).join(', ')}`)

/** Our own processes: one per dtype and storage. */
async function ownDrivers() {
  const drivers = []
  for (const storage of flags.storage.split(',')) {
    const checkpoint = makeCheckpoint(flags.model, storage, flags.cache)
    for (const dtype of flags.dtypes.split(',')) {
      const name = `deberta ${dtype}${storage === 'float32' ? '' : ` (${storage} file)`}`
      const driver = new Driver(name, process.execPath, [join(here, 'drivers/deberta.mjs')])
      drivers.push({
        driver,
        load: { checkpoint, dtype, threads, device: flags.device },
        bar: barOf(dtype),
        reference: dtype === 'float32',
      })
    }
  }
  return drivers
}

/** How far logits may be from those of our float32, relative to the largest: what the number format explains. */
function barOf(dtype) {
  return { float32: 1e-4, bfloat16: 0.1, float16: 0.02, int8: 0.5 }[dtype] ?? 0.5
}

/** The largest difference to the reference's logits, relative to the largest of them. */
function deviation(logits, reference) {
  const largest = Math.max(...reference.map(Math.abs))
  return Math.max(...reference.map((value, i) => Math.abs(value - logits[i]))) / largest
}

async function checkOutputs(drivers, workload) {
  const replies = []
  for (const { driver } of drivers) {
    replies.push(await driver.ask({ run: { sequences: workload.sequences, outputs: true } }))
  }
  const reference = replies[drivers.findIndex((entry) => entry.reference)]?.logits ?? replies[0].logits
  return drivers.map((entry, i) => {
    const off = deviation(replies[i].logits, reference)
    if (!(off <= entry.bar))
      throw new Error(`${entry.driver.name} on ${workload.name}: off by ${off}, bar ${entry.bar}`)
    return { off, estimate: replies[i].ms }
  })
}

// Thread pools of other libraries spin on after a run, and would take the cores from whoever comes next.
const settle = () => new Promise((resolve) => setTimeout(resolve, 100))

/** Rounds of one run each, in turn, until the time is used or 40 rounds; at least 5. */
async function time(drivers, workload, checked) {
  const round = checked.reduce((sum, { estimate }) => sum + estimate, 0)
  const rounds = Math.max(
    5,
    Math.min(40, Math.floor((Number(flags.seconds) * 1000 * drivers.length) / round)),
  )
  const samples = drivers.map(() => [])
  const rss = drivers.map(() => 0)
  for (let i = 0; i < rounds; i++) {
    for (const [at, { driver }] of drivers.entries()) {
      await settle()
      const reply = await driver.ask({ run: { sequences: workload.sequences } })
      samples[at].push(reply.ms)
      rss[at] = Math.max(rss[at], reply.rssPeak)
    }
  }
  return samples.map((list, at) => ({ ...summary(list), rssPeak: rss[at] }))
}

async function main() {
  mkdirSync(flags.cache, { recursive: true })
  const peaks = flags.device === 'cpu' ? measurePeaks(threads) : null // before other processes start
  const wanted = flags.only.split(',').filter(Boolean)
  const all = [...(await ownDrivers()), ...(flags.peers ? peerDrivers({ ...flags, threads }) : [])]
  const drivers = wanted.length
    ? all.filter(({ driver }) => wanted.some((part) => driver.name.includes(part)))
    : all
  for (const entry of all) if (!drivers.includes(entry)) entry.driver.close()
  for (const entry of drivers) entry.detail = (await entry.driver.ask({ load: entry.load })).detail

  const rows = []
  for (const name of flags.workloads.split(',')) {
    const workload = makeWorkload(name, config.vocab_size)
    const checked = await checkOutputs(drivers, workload)
    const timed = await time(drivers, workload, checked)
    const tokens = workload.lengths.reduce((sum, n) => sum + n, 0)
    const flops = minimalFlops(config, workload.lengths)
    const results = drivers.map(({ driver, detail }, at) => ({
      library: driver.name,
      detail,
      off: checked[at].off,
      ...timed[at],
    }))
    rows.push({ workload: name, tokens, flops, results })
    printTable(rows.at(-1), peaks)
  }
  for (const { driver } of drivers) driver.close()
  const report = {
    date: new Date().toISOString().slice(0, 10),
    model: flags.model,
    device: flags.device,
    threads,
    machine: machine(),
    peaks,
    rows,
  }
  if (flags.output) writeResults(flags.output, report)
}

await main()
