// How the time of 32x128 in float32 follows the cores it gets, and what the 256-bit kernels reach.
import { spawn } from 'node:child_process'
import { measurePeaks } from '../machine.mjs'
import { minimalFlops } from '../shapes.mjs'
import { quantile } from '../statistics.mjs'
import { makeWorkload } from '../workloads.mjs'
import { interleaved, OwnProcess } from './own-process.mjs'

const workload = '32x128'
const times = (value) => `${value.toFixed(2)}×`
const median = (list) =>
  quantile(
    [...list].sort((a, b) => a - b),
    0.5,
  )

/** Fastest runs: what else runs on the machine makes a run slower, never faster. */
export async function oneThreadToAll({ checkpoint, config, threads, rounds }) {
  const processes = [new OwnProcess(config.vocab_size), new OwnProcess(config.vocab_size)]
  await processes[0].load(checkpoint, 1)
  await processes[1].load(checkpoint, threads)
  const [one, all] = await interleaved(
    rounds,
    processes.map((own) => () => own.run(workload)),
  )
  for (const own of processes) own.close()
  return [
    {
      what: `${workload}: one thread to ${threads}`,
      value: Math.min(...one) / Math.min(...all),
      show: times,
      least: 0.925 * threads,
    },
  ]
}

/** Runs `body` while another process keeps one core busy. */
async function besideBusyProcess(body) {
  const busy = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
  await new Promise((resolve) => setTimeout(resolve, 200))
  try {
    return await body()
  } finally {
    busy.kill()
  }
}

/**
 * N threads and a busy process are N + 1 that want N cores: fair shares make a run (N + 1) / N times as long. A tenth more is let
 * pass: every step of a layer ends with its last task, which may be on a thread that is waiting for its turn. Work split
 * evenly in advance would take twice as long.
 */
export async function busyNeighbour({ checkpoint, config, threads, rounds }) {
  const own = new OwnProcess(config.vocab_size)
  await own.load(checkpoint, threads)
  const run = () => own.run(workload)
  const [alone, beside] = await interleaved(rounds, [run, () => besideBusyProcess(run)])
  own.close()
  return [
    {
      what: `${workload} on ${threads} threads beside a busy process: time relative to alone`,
      value: median(beside) / median(alone),
      show: times,
      most: (1.1 * (threads + 1)) / threads,
    },
  ]
}

/** The peak is measured before and after, since clocks and neighbours change, and the larger counts. */
export async function avx2({ checkpoint, config, threads, rounds }) {
  const what = `${workload} on avx2: share of its measured peak (fma256)`
  const peaks = [measurePeaks(threads)?.loops.fma256]
  if (!peaks[0]) return [{ what, missing: 'peak_bench did not measure fma256 here', least: 0.8 }]
  const own = new OwnProcess(config.vocab_size, { DEBERTA_CPU_ISA: 'avx2' })
  await own.load(checkpoint, threads)
  const [ms] = await interleaved(rounds, [() => own.run(workload)])
  own.close()
  peaks.push(measurePeaks(threads).loops.fma256)
  const { lengths } = makeWorkload(workload, config.vocab_size)
  const rate = minimalFlops(config, lengths) / (Math.min(...ms) / 1e3) / 1e9
  const show = (value) => `${(100 * value).toFixed(0)} % (of ${Math.max(...peaks).toFixed(0)} GFLOP/s)`
  return [{ what, value: rate / Math.max(...peaks), show, least: 0.8 }]
}
