// A process ends when its script says so, also in the middle of a forward, and only then.
import assert from 'node:assert/strict'
import test from 'node:test'
import { runNode } from '../support/child.mjs'

const busy = `
  const { loadModel, bundledModelPath } = require('deberta')
  loadModel(bundledModelPath('deberta-mini-en-sentiment')).then((model) => {
    for (let i = 0; i < 5; i++) model.forward([{ inputIds: new Int32Array(2500).fill(77) }]).catch(() => {})
    model.tokenizer.encodeBatch(Array(3000).fill('a text to tokenize '.repeat(20))).catch(() => {})
    setTimeout(() => END, 20)
  })
`

for (const [how, end, code] of [
  ['process.exit()', 'process.exit(7)', 7],
  ['an uncaught exception', "{ throw new Error('on purpose') }", 1],
])
  test(`${how} in the middle of a forward ends the process cleanly`, async () => {
    for (let i = 0; i < 10; i++) {
      const result = await runNode(['-e', busy.replace('() => END', `() => ${end}`)])
      assert.equal(result.signal, null)
      assert.equal(result.code, code, result.stderr)
    }
  })

test('an idle model keeps no process alive; a running call does', async () => {
  const code = `
    const { loadModel, bundledModelPath } = require('deberta')
    loadModel(bundledModelPath('deberta-mini-en-sentiment')).then((model) => {
      model.forward([{ inputIds: new Int32Array(500).fill(7) }]).then(() => process.stdout.write('done'))
    })`
  const { code: status, stdout } = await runNode(['-e', code])
  assert.equal(status, 0)
  assert.equal(stdout, 'done')
})
