// Models in worker_threads: each worker loads its own, weights of one folder are in memory once for the process. Calls are
// asynchronous anyway, so a worker is not needed to keep a server responsive; it serves to isolate.
//   node examples/worker.mjs
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { bundledModelPath, pipeline } from 'deberta'

if (isMainThread) {
  const texts = ['A gorgeous, witty and deeply moving film.', 'Two hours that I will never get back.']
  const workers = texts.map((text) => {
    const worker = new Worker(new URL(import.meta.url))
    worker.once('message', ({ label, score }) => console.log(label, score.toFixed(3), text))
    worker.postMessage(text)
    return worker
  })
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))))
} else {
  parentPort.once('message', async (text) => {
    const classify = await pipeline('text-classification', bundledModelPath('deberta-mini-en-sentiment'))
    parentPort.postMessage(await classify(text))
    classify.dispose()
  })
}
