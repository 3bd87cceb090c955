import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import test from 'node:test'

const require = createRequire(import.meta.url)
const { Output, shorten, table } = require('../../../dist/cli/output.js')
const { ProgressLine } = require('../../../dist/cli/progress.js')

function collector() {
  const chunks = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk))
      done()
    },
  })
  return { stream, text: () => chunks.join('') }
}

test('a table aligns columns and ends no line with blanks', () => {
  assert.equal(
    table([
      ['POSITIVE', 0.98765, 'a\ttext'],
      ['NEG', 12, ''],
    ]),
    'POSITIVE  0.9877  a text\nNEG           12\n',
  )
})

test('a terminal gets the table, everything else JSON lines', async () => {
  const record = { text: 'x', score: 0.5 }
  for (const [json, expected] of [
    [true, '{"text":"x","score":0.5}\n'],
    [false, 'x  0.5000\n'],
  ]) {
    const { stream, text } = collector()
    await new Output(stream, json).write(record, [['x', 0.5]])
    assert.equal(text(), expected)
  }
})

test('long texts are shortened for cells', () => {
  assert.equal(shorten('abcdef', 4), 'abc…')
  assert.equal(shorten('abcd', 4), 'abcd')
})

test('the progress line keeps quiet for the first second and clears only what it wrote', (t) => {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const { stream, text } = collector()
  const line = new ProgressLine(stream)
  now = 900
  line.update(10)
  line.clear()
  assert.equal(text(), '')
  now = 2000
  line.update(500)
  line.update(501)
  const clear = '\r\u001b[K'
  assert.equal(text(), `${clear}500 texts, 250.0 per second`)
  line.clear()
  assert.equal(text(), `${clear}500 texts, 250.0 per second${clear}`)
})
