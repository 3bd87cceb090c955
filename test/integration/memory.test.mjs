// Nothing is left behind: external memory returns to where it was, and disposed models are really freed.
import assert from 'node:assert/strict'
import test from 'node:test'
import { runNode } from '../support/child.mjs'

const prelude = `
  const { loadModel, bundledModelPath, pipeline } = require('deberta')
  const { native } = require('./dist/binding.js')
  const directory = bundledModelPath('deberta-mini-en-sentiment')
  const collect = async () => {
    for (let i = 0; i < 5; i++) { globalThis.gc(); await new Promise((resolve) => setTimeout(resolve, 5)) }
  }
  const print = (values) => process.stdout.write(JSON.stringify(values));
`

async function measure(code) {
  const {
    code: status,
    stdout,
    stderr,
  } = await runNode(['--expose-gc', '-e', `${prelude}(async () => {${code}})()`])
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout)
}

test('results of forwards, pipelines and tokenizers are collected', async () => {
  const { before, after } = await measure(`
    const model = await loadModel(directory, { device: 'cpu' })
    const classify = await pipeline('text-classification', model)
    const outputs = ['logits', 'lastHiddenState', 'hiddenStates', 'attentions']
    const round = async () => {
      await model.forward([{ inputIds: new Int32Array(200).fill(7) }], { outputs })
      await classify(Array(20).fill('a text'))
      await model.tokenizer.encodeBatch(Array(500).fill('a text of some words'))
      for (const bad of [[-1], [1e6]]) await model.forward([{ inputIds: bad }]).catch(() => {})
      const controller = new AbortController()
      const aborted = model.forward([{ inputIds: new Int32Array(200).fill(7) }], { signal: controller.signal })
      controller.abort()
      await aborted.catch(() => {})
      await collect()
    }
    for (let i = 0; i < 3; i++) await round()
    const before = process.memoryUsage().external
    for (let i = 0; i < 10; i++) await round()
    print({ before, after: process.memoryUsage().external })
  `)
  // One round makes over 3 MB of results.
  assert.ok(after - before < 1 << 20, `external memory grew by ${after - before} bytes`)
})

test('V8 is told of packed weights, and of their end by dispose or collection', async () => {
  const { start, loaded, packed, disposed, collected } = await measure(`
    await collect()
    const start = native().externalMemory()
    let model = await loadModel(directory, { device: 'cpu' })
    const packed = model.info.weightBytesPacked
    const loaded = native().externalMemory()
    model.dispose()
    model.dispose()
    const disposed = native().externalMemory()
    model = await loadModel(directory, { device: 'cpu' })
    model = undefined
    await collect()
    print({ start, loaded, packed, disposed, collected: native().externalMemory() })
  `)
  const slack = 1 << 19
  assert.ok(packed > slack)
  assert.ok(Math.abs(loaded - start - packed) < slack)
  assert.ok(Math.abs(disposed - start) < slack)
  assert.ok(Math.abs(collected - start) < slack)
})

test('loading and disposing again and again does not grow the process', async () => {
  const { packed, grown } = await measure(`
    let packed = 0
    const round = async () => {
      const model = await loadModel(directory, { device: 'cpu' })
      packed = model.info.weightBytesPacked
      await model.forward([{ inputIds: new Int32Array(100).fill(7) }])
      model.dispose()
      await collect()
    }
    for (let i = 0; i < 5; i++) await round()
    const before = process.memoryUsage().rss
    for (let i = 0; i < 30; i++) await round()
    print({ packed, grown: process.memoryUsage().rss - before })
  `)
  // A leak of every model would be 30 × packed; allocator noise is a few of them at most.
  assert.ok(grown < 8 * packed, `grew by ${grown} bytes over 30 models of ${packed}`)
})
