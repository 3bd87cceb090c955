// This package in a process of its own, for what only whole processes show: memory, threads, instruction sets.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver } from '../drivers/protocol.mjs'
import { makeWorkload } from '../workloads.mjs'

const driverFile = join(fileURLToPath(new URL('..', import.meta.url)), 'drivers/deberta.mjs')

export class OwnProcess {
  #driver
  #vocabSize

  constructor(vocabSize, environment = {}) {
    this.#vocabSize = vocabSize
    this.#driver = new Driver('deberta', process.execPath, [driverFile], environment)
  }

  /** One more instance of the checkpoint, in float32 on the CPU: `{ detail, rss }`, rss in bytes after it. */
  load(checkpoint, threads) {
    return this.#driver.ask({ load: { checkpoint, dtype: 'float32', device: 'cpu', threads } })
  }

  /** Runs a workload by name: `{ ms, rss, rssPeak }`, bytes. */
  run(workload) {
    return this.#driver.ask({ run: { sequences: makeWorkload(workload, this.#vocabSize).sequences } })
  }

  close() {
    this.#driver.close()
  }
}

// Thread pools spin on for a moment after a run, and would take a core from whoever comes next.
const settle = () => new Promise((resolve) => setTimeout(resolve, 100))

/** Milliseconds of `rounds` runs in turn: one list for each of `runs`, functions that resolve to `{ ms }`. */
export async function interleaved(rounds, runs) {
  const times = runs.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, run] of runs.entries()) {
      await settle()
      times[at].push((await run()).ms)
    }
  }
  return times
}
