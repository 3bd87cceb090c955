// What the figures were measured on, and its ceilings.
import { spawnSync } from 'node:child_process'
import { cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { globSync } from '../test/support/glob.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

export function machine() {
  return {
    cpu: cpus()[0].model,
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  }
}

/** Peak rates in GFLOP/s (or Gop/s) by dtype, and of every loop of bench/ops/peak (`loops`); null where it cannot be built. */
export function measurePeaks(threads) {
  const configure = spawnSync(
    'cmake',
    [
      '-S',
      root,
      '-B',
      `${root}/build-bench`,
      '-DDEBERTA_BUILD_BENCH=ON',
      '-DDEBERTA_BUILD_TESTS=OFF',
      '-DDEBERTA_CUDA=OFF',
    ],
    { stdio: ['ignore', 'ignore', 2] },
  )
  if (configure.status !== 0) return null
  const build = spawnSync('cmake', ['--build', `${root}/build-bench`, '--target', 'peak_bench'], {
    stdio: ['ignore', 'ignore', 2],
  })
  if (build.status !== 0) return null
  const [file] = globSync(new URL('../build-bench/', import.meta.url), 'peak_bench')
  const run = spawnSync(file, ['--json', String(threads)], { encoding: 'utf8' })
  return run.status === 0 ? JSON.parse(run.stdout) : null
}
