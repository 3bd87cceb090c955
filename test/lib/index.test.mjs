// Both faces of the package are one module, and the typings compile under the strictest settings.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import test from 'node:test'
import * as esm from 'deberta'
import { root } from '../support/paths.mjs'

const require = createRequire(import.meta.url)

test('ESM and CommonJS give the same names of the same module', () => {
  const cjs = require('deberta')
  assert.deepEqual(Object.keys(esm).sort(), Object.keys(cjs).sort())
  for (const [name, value] of Object.entries(esm)) assert.equal(value, cjs[name], name)
})

test('the typings say what the API does (test/types)', () => {
  const tsc = require.resolve('typescript/lib/tsc.js')
  const run = spawnSync(process.execPath, [tsc, '-p', 'test/types/tsconfig.json'], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.equal(run.status, 0, run.stdout + run.stderr)
})
