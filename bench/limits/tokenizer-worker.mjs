// One thread of tokenizer.mjs: encodes all lines whenever asked, one by one, and answers how many tokens they are.
import { parentPort, workerData } from 'node:worker_threads'
import { loadTokenizer } from '../../dist/index.mjs'

const tokenizer = await loadTokenizer(workerData.folder)
parentPort.on('message', () => {
  let tokens = 0
  for (const line of workerData.lines) tokens += tokenizer.encode(line).inputIds.length
  parentPort.postMessage(tokens)
})
parentPort.postMessage('ready')
