// Predicts the masked words of a text:  node examples/fill-mask.mjs ["a text with [MASK]"]
import { bundledModelPath, pipeline } from 'deberta'

const text = process.argv[2] ?? 'She opened the [MASK] and walked into the room.'
const fillMask = await pipeline('fill-mask', bundledModelPath('deberta-mini-en'))
for (const { score, sequence } of await fillMask(text)) console.log(score.toFixed(3), sequence)
fillMask.dispose()
