// Finds the text that is nearest to a query, by the cosine of their mean-pooled vectors:
//   node examples/embeddings.mjs ["a query"]
import { bundledModelPath, pipeline } from 'deberta'

const texts = [
  'The captain gave the order to sail.',
  'The old lady poured another cup of tea.',
  'A storm tore the sails from the mast.',
  'He counted the money and locked the drawer.',
]
const query = process.argv[2] ?? 'Mrs. Brown offered the guests some cake.'

const extract = await pipeline('feature-extraction', bundledModelPath('deberta-mini-en'))
const vectors = await extract([query, ...texts], { pooling: 'mean', normalize: true })
const target = vectors.row(0)
const cosine = (vector) => vector.reduce((sum, value, i) => sum + value * target[i], 0)

texts
  .map((text, i) => ({ text, score: cosine(vectors.row(i + 1)) }))
  .sort((a, b) => b.score - a.score)
  .forEach(({ text, score }) => {
    console.log(score.toFixed(3), text)
  })
extract.dispose()
