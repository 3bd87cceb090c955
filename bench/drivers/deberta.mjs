// This package, through its public API.
import { loadModel } from '../../dist/index.mjs'
import { serve } from './protocol.mjs'

let model

serve({
  async load({ checkpoint, dtype, threads, device }) {
    model = await loadModel(checkpoint, { device, dtype, threads })
    return { detail: model.info.detail }
  },
  async run(sequences) {
    const { logits } = await model.forward(sequences.map((inputIds) => ({ inputIds })))
    return logits.data
  },
})
