// lib/errors.ts and native/base/error_codes.def are one table.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import test from 'node:test'
import { DebertaError, errorCodes } from 'deberta'
import { root } from '../support/paths.mjs'

const require = createRequire(import.meta.url)
const { fromNative, invalidArgument } = require('../../dist/errors.js')
const { native } = require('../../dist/binding.js')

test('codes and meanings equal those of error_codes.def, in order', () => {
  const table = readFileSync(`${root}native/base/error_codes.def`, 'utf8')
  const rows = [...table.matchAll(/^DEBERTA_ERROR_CODE\((\w+), "([^"]+)"\)$/gm)]
  assert.ok(rows.length >= 15)
  assert.deepEqual(
    Object.entries(errorCodes),
    rows.map(([, name, meaning]) => [`DEBERTA_ERR_${name}`, meaning]),
  )
})

test('the built addon has the same codes', () => {
  assert.deepEqual(native().errorCodes(), Object.keys(errorCodes))
})

test('a DebertaError has code, message, details and cause', () => {
  const cause = new Error('inner')
  const error = new DebertaError('DEBERTA_ERR_INTERNAL', 'outer', { details: { index: 3 }, cause })
  assert.ok(error instanceof Error)
  assert.equal(error.name, 'DebertaError')
  assert.equal(error.code, 'DEBERTA_ERR_INTERNAL')
  assert.deepEqual(error.details, { index: 3 })
  assert.equal(error.cause, cause)
  assert.deepEqual(new DebertaError('DEBERTA_ERR_INTERNAL', '').details, {})
  assert.ok(!('cause' in new DebertaError('DEBERTA_ERR_INTERNAL', '')))
})

test('fromNative keeps the code of the addon and leaves foreign errors alone', () => {
  const coded = fromNative(Object.assign(new Error('what'), { code: 'DEBERTA_ERR_DEVICE' }))
  assert.ok(coded instanceof DebertaError)
  assert.equal(coded.code, 'DEBERTA_ERR_DEVICE')
  assert.equal(coded.message, 'what')
  for (const foreign of [
    new TypeError('x'),
    Object.assign(new Error('y'), { code: 'ENOENT' }),
    'text',
    coded,
  ])
    assert.equal(fromNative(foreign), foreign)
})

test('an argument mistake says what was expected, for which name, and what came', () => {
  const messages = [
    [undefined, 'expected a string for `x`, got undefined'],
    [null, 'expected a string for `x`, got null'],
    [1.5, 'expected a string for `x`, got 1.5'],
    [7n, 'expected a string for `x`, got 7n (bigint)'],
    ['short', "expected a string for `x`, got 'short'"],
    ['long'.repeat(100), 'expected a string for `x`, got a string of 400 characters'],
    [[1, 2], 'expected a string for `x`, got an array of 2'],
    [new Uint8Array(3), 'expected a string for `x`, got an Uint8Array of 3 bytes'],
    [{}, 'expected a string for `x`, got an object (Object)'],
    [Object.create(null), 'expected a string for `x`, got an object (no prototype)'],
    [() => 1, 'expected a string for `x`, got a function'],
  ]
  for (const [value, message] of messages) {
    const error = invalidArgument('a string', 'x', value)
    assert.equal(error.message, message)
    assert.equal(error.code, 'DEBERTA_ERR_INVALID_ARGUMENT')
    assert.equal(error.details.name, 'x')
  }
})
