'use strict'
// Makes every npm script work in a fresh clone: installs when node_modules is absent, then builds what is stale.
//   --addon   only the addon and the TypeScript, not the native tests
//   --quiet   print nothing but errors and the first build's progress
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { root, cmakeJs } = require('./build.cjs')

const flags = new Set(process.argv.slice(2))

function fail(status) {
  process.exit(status || 1)
}

function installDependencies() {
  if (fs.existsSync(path.join(root, 'node_modules', '.package-lock.json'))) return
  const npm = process.env.npm_execpath
  const [command, prefix] = npm ? [process.execPath, [npm]] : ['npm', []]
  const run = spawnSync(command, [...prefix, 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (run.status !== 0) fail(run.status)
}

/** CUDA is built on request (DEBERTA_CUDA=ON or AUTO): its kernels take minutes to compile. */
function buildNative() {
  const configured = fs.existsSync(path.join(root, 'build', 'CMakeCache.txt'))
  const cuda = process.env.DEBERTA_CUDA
  const args = [
    configured && cuda ? 'reconfigure' : 'build',
    `--CDDEBERTA_CUDA=${cuda ?? 'OFF'}`,
    '-l',
    'warn',
  ]
  if (args[0] === 'reconfigure' && cmakeJs(args).status !== 0) fail(1)
  args[0] = 'build'
  if (flags.has('--addon')) args.push('--target', 'deberta')
  const stdio = flags.has('--quiet') && configured ? ['ignore', 'ignore', 2] : ['ignore', 2, 2]
  const run = cmakeJs(args, { stdio })
  if (run.status === 127) process.stderr.write(`${run.error.message}\n`)
  if (run.status !== 0) fail(run.status)
}

function buildTypeScript() {
  const tsc = path.join(
    path.dirname(require.resolve('typescript/package.json', { paths: [root] })),
    'bin',
    'tsc',
  )
  const run = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (run.status !== 0) fail(run.status)
}

installDependencies()
buildNative()
buildTypeScript()
