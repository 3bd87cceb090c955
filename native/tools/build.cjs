'use strict'
// Calls cmake-js in this package, wherever npm hoisted it.
const { spawnSync } = require('node:child_process')
const os = require('node:os')
const path = require('node:path')

const root = path.join(__dirname, '..', '..')

/** Runs cmake-js with `args`; returns spawnSync's result, status 127 where cmake-js is not installed. */
function cmakeJs(args, options = {}) {
  let bin
  try {
    bin = require.resolve('cmake-js/bin/cmake-js', { paths: [root] })
  } catch {
    return { status: 127, error: new Error('cmake-js is not installed') }
  }
  const env = { CMAKE_BUILD_PARALLEL_LEVEL: String(os.availableParallelism()), ...process.env }
  return spawnSync(process.execPath, [bin, ...args], { cwd: root, stdio: 'inherit', env, ...options })
}

module.exports = { root, cmakeJs }
