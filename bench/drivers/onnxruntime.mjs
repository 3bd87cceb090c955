// onnxruntime-node on an ONNX export of the same checkpoint, every batch padded to its longest sequence.
import { createRequire } from 'node:module'
import { serve } from './protocol.mjs'

const ort = createRequire(new URL('../peers/package.json', import.meta.url))('onnxruntime-node')
let session

serve({
  async load({ onnx, threads }) {
    session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: threads, interOpNumThreads: 1 })
    return { detail: ort.env.versions.node ?? '' }
  },
  async run(sequences) {
    const rows = sequences.length
    const longest = Math.max(...sequences.map((ids) => ids.length))
    const ids = new BigInt64Array(rows * longest)
    const mask = new BigInt64Array(rows * longest)
    sequences.forEach((sequence, row) => {
      sequence.forEach((id, column) => {
        ids[row * longest + column] = BigInt(id)
        mask[row * longest + column] = 1n
      })
    })
    const { logits } = await session.run({
      input_ids: new ort.Tensor('int64', ids, [rows, longest]),
      attention_mask: new ort.Tensor('int64', mask, [rows, longest]),
    })
    return logits.data
  },
})
