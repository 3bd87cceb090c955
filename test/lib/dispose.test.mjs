import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'

const require = createRequire(import.meta.url)

test('the symbols are the runtime’s own where it has them', () => {
  const { disposeSymbol, asyncDisposeSymbol } = require('../../dist/dispose.js')
  assert.equal(typeof disposeSymbol, 'symbol')
  assert.equal(typeof asyncDisposeSymbol, 'symbol')
  if (Symbol.dispose) assert.equal(disposeSymbol, Symbol.dispose)
  if (Symbol.asyncDispose) assert.equal(asyncDisposeSymbol, Symbol.asyncDispose)
})
