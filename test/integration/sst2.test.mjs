// Text to logits over a whole data set: every sentence of SST-2 dev through the tokenizer and the bundled classifier, against
// float64 logits. SST-2 may not be redistributed: the test runs where the external fixtures are (test/fixtures/README.md).
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { loadModel } from 'deberta'
import { bundled, root } from '../support/paths.mjs'
import { readSafetensors } from '../support/safetensors.mjs'

const shared = process.env.DEBERTA_SHARED_FIXTURES ?? `${root}../shared/fixtures`
const file = `${shared}/external/data/sst2/dev.tsv`

test('SST-2 dev: logits of all 872 sentences', {
  skip: !existsSync(file) && `${file} is not there`,
}, async () => {
  const rows = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t'))
  const folder = bundled('deberta-mini-en-sentiment')
  const golden = readSafetensors(`${folder}/golden/sst2_dev_logits.safetensors`).logits
  const model = await loadModel(folder, { device: 'cpu', dtype: 'float32' })
  const { logits } = await model.forward(rows.map(([text]) => model.tokenizer.encode(text)))
  model.dispose()
  assert.deepEqual(logits.dims, golden.dims)
  const largest = Math.max(...golden.data.map(Math.abs))
  const off = Math.max(...golden.data.map((value, i) => Math.abs(value - logits.data[i])))
  assert.ok(off <= 1e-5 * largest, `off by ${off}`)
  const right = rows.filter(
    ([, label], i) => (logits.data[2 * i + 1] > logits.data[2 * i] ? '1' : '0') === label,
  )
  assert.equal((right.length / rows.length).toFixed(3), '0.806')
})
