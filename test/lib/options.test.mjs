import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'

const require = createRequire(import.meta.url)
const options = require('../../dist/options.js')

const refuses = (call, message) =>
  assert.throws(call, (error) => {
    assert.equal(error.code, 'DEBERTA_ERR_INVALID_ARGUMENT')
    assert.match(error.message, message)
    return true
  })

test('a misspelt option is refused by name, with the likeliest spelling', () => {
  const known = ['maxLength', 'truncation', 'topK']
  options.checkOptionNames({ maxLength: 1, topK: undefined }, known, 'call')
  refuses(
    () => options.checkOptionNames({ maxlength: 1 }, known, 'call'),
    /call has no option `maxlength`; did you mean `maxLength`\?/,
  )
  refuses(() => options.checkOptionNames({ max_length: 1 }, known, 'call'), /did you mean `maxLength`/)
  refuses(() => options.checkOptionNames({ top_k: 1 }, known, 'call'), /did you mean `topK`/)
  refuses(() => options.checkOptionNames({ truncate: 1 }, known, 'call'), /did you mean `truncation`/)
  refuses(
    () => options.checkOptionNames({ banana: 1 }, known, 'call'),
    /no option `banana`; known are maxLength, truncation, topK/,
  )
})

test('options must be an object', () => {
  for (const value of [null, 3, 'x', [], () => {}]) {
    refuses(() => options.checkOptionNames(value, [], 'call'), /expected an object for `options`/)
  }
})

test('integers', () => {
  assert.equal(options.optionalInteger(undefined, 'n'), undefined)
  assert.equal(options.optionalInteger(3, 'n', { min: 1, max: 3 }), 3)
  for (const value of [0, 4, 1.5, NaN, Infinity, '2', null, 2n])
    refuses(
      () => options.optionalInteger(value, 'n', { min: 1, max: 3 }),
      /expected an integer from 1 to 3 for `n`/,
    )
  refuses(() => options.optionalInteger(0, 'n', { min: 1 }), /a positive integer/)
  refuses(() => options.optionalInteger(1, 'n', { min: 2 }), /at least 2/)
  refuses(() => options.optionalInteger(0.5, 'n'), /an integer for/)
})

test('booleans, choices, signals, functions, strings', () => {
  assert.equal(options.optionalBoolean(false, 'b'), false)
  assert.equal(options.optionalBoolean(undefined, 'b'), undefined)
  refuses(() => options.optionalBoolean(0, 'b'), /expected a boolean for `b`, got 0/)
  assert.equal(options.optionalChoice('two', 'c', ['one', 'two']), 'two')
  refuses(
    () => options.optionalChoice('three', 'c', ['one', 'two']),
    /expected 'one' or 'two' for `c`, got 'three'/,
  )
  refuses(() => options.optionalChoice(null, 'c', ['one']), /got null/)
  const { signal } = new AbortController()
  assert.equal(options.optionalSignal(signal), signal)
  refuses(() => options.optionalSignal({ aborted: false }), /expected an AbortSignal for `signal`/)
  refuses(() => options.optionalFunction('f', 'onProgress'), /expected a function for `onProgress`/)
  assert.equal(options.requiredString('', 's'), '')
  refuses(() => options.requiredString(new String('x'), 's'), /expected a string for `s`/)
})

test('token ids: an Int32Array as it is, an array of integers copied', () => {
  const array = Int32Array.of(1, 2)
  assert.equal(options.int32Array(array, 'ids'), array)
  assert.deepEqual(options.int32Array([3, -1], 'ids'), Int32Array.of(3, -1))
  refuses(() => options.int32Array([1, 2.5], 'ids'), /expected a 32-bit integer for `ids\[1\]`, got 2.5/)
  refuses(() => options.int32Array([2 ** 31], 'ids'), /ids\[0\]/)
  refuses(() => options.int32Array(['1'], 'ids'), /got '1'/)
  refuses(() => options.int32Array(new Float32Array(2), 'ids'), /an Int32Array or an array of integers/)
  refuses(() => options.int32Array(undefined, 'ids'), /got undefined/)
})
