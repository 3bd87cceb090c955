// This package, through its public API. Every load adds an instance, and the last one runs.
import { loadModel } from '../../dist/index.mjs'
import { serve } from './protocol.mjs'

const models = []

serve({
  async load({ checkpoint, dtype, threads, device }) {
    models.push(await loadModel(checkpoint, { device, dtype, threads }))
    return { detail: models.at(-1).info.detail }
  },
  async run(sequences) {
    const { logits } = await models.at(-1).forward(sequences.map((inputIds) => ({ inputIds })))
    return logits.data
  },
})
