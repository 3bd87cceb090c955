// Every worker_thread has the addon to itself: they load, run, and are terminated in the middle without a trace.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { Worker } from 'node:worker_threads'
import { bundledModelPath, loadModel } from 'deberta'

const directory = bundledModelPath('deberta-mini-en-sentiment')
const prelude = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { loadModel } = require('deberta')
  const long = { inputIds: new Int32Array(2500).fill(77) };
`
const start = (code) =>
  new Worker(`${prelude}\n(async () => { ${code} })()`, { eval: true, workerData: { directory } })

test('10 workers load, run and are terminated mid-run', async () => {
  for (let i = 0; i < 10; i++) {
    const worker = start(`
      const model = await loadModel(workerData.directory, { device: 'cpu' })
      await model.forward([{ inputIds: [1, 2] }])
      for (let i = 0; i < 5; i++) model.forward([long]).catch(() => {})
      model.tokenizer.encodeBatch(Array(3000).fill('a text to tokenize '.repeat(20))).catch(() => {})
      parentPort.postMessage('running')
    `)
    const [message] = await once(worker, 'message')
    assert.equal(message, 'running')
    await new Promise((resolve) => setTimeout(resolve, 3 * i))
    assert.equal(await worker.terminate(), 1)
  }
})

test('a worker that is terminated while it loads', async () => {
  for (let i = 0; i < 5; i++) {
    const worker = start(`
      for (let i = 0; i < 4; i++) loadModel(workerData.directory).catch(() => {})
      parentPort.postMessage('loading')
    `)
    await once(worker, 'message')
    await new Promise((resolve) => setTimeout(resolve, i))
    await worker.terminate()
  }
})

test('workers in parallel and the main thread give the same bits', async () => {
  const input = { inputIds: [1, 344, 1047, 261, 886, 2] }
  const model = await loadModel(directory, { device: 'cpu' })
  const workers = Array.from({ length: 4 }, () =>
    start(`
      const model = await loadModel(workerData.directory, { device: 'cpu' })
      const { logits } = await model.forward([${JSON.stringify(input)}])
      parentPort.postMessage(logits.data)
    `),
  )
  const exits = workers.map((worker) => once(worker, 'exit'))
  const { logits } = await model.forward([input])
  for (const [data] of await Promise.all(workers.map((worker) => once(worker, 'message'))))
    assert.deepEqual(data, logits.data)
  for (const [code] of await Promise.all(exits)) assert.equal(code, 0)
  model.dispose()
})

test('ending a worker does not disturb the main thread’s forward', async () => {
  const model = await loadModel(directory, { device: 'cpu' })
  const alone = await model.forward([{ inputIds: new Int32Array(600).fill(9) }])
  const worker = start(`
    const model = await loadModel(workerData.directory, { device: 'cpu' })
    for (let i = 0; i < 5; i++) model.forward([long]).catch(() => {})
    parentPort.postMessage('running')
  `)
  await once(worker, 'message')
  const running = model.forward([{ inputIds: new Int32Array(600).fill(9) }])
  await worker.terminate()
  assert.deepEqual((await running).logits.data, alone.logits.data)
  model.dispose()
})
