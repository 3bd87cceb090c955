// What a number format may cost on real weights: the error of the bundled models' logits, and int8's changed decisions. A
// masked LM exceeds its bar when any one kind of its sensitive products (head, qkv, attention output, up projection, the last
// layer's down projection) falls back to int8; on 113 decisions the error shows what flips would not.
import assert from 'node:assert/strict'
import test from 'node:test'
import { DebertaError, loadModel } from 'deberta'
import { compareRows, decisionRows } from '../../bench/quality/decisions.mjs'
import { committedTexts, textSets } from '../../bench/quality/texts.mjs'
import { bundled } from '../support/paths.mjs'

// Root mean square of the logits' error relative to that of the logits.
const bars = [
  { name: 'deberta-mini-en', dtype: 'bfloat16', error: 0.0013 },
  { name: 'deberta-mini-en', dtype: 'int8', error: 0.0017 },
  { name: 'deberta-mini-en-sentiment', dtype: 'bfloat16', error: 0.0012 },
  { name: 'deberta-mini-en-sentiment', dtype: 'int8', error: 0.0032 },
]
const FLIPS_INT8 = 0.005 // share of the decisions

async function rowsIn(dtype, name, texts) {
  const model = await loadModel(bundled(name), { device: 'cpu', dtype })
  try {
    return await decisionRows(model, texts)
  } finally {
    model.dispose()
  }
}

/** How rows in this format differ from float32; null: this CPU does not compute in it. */
async function difference(dtype, name, texts) {
  try {
    return compareRows(await rowsIn(dtype, name, texts), await rowsIn('float32', name, texts))
  } catch (error) {
    if (error instanceof DebertaError && error.code === 'DEBERTA_ERR_BACKEND_UNAVAILABLE') return null
    throw error
  }
}

for (const { name, dtype, error } of bars) {
  test(`${name} in ${dtype}: error of the logits`, async (t) => {
    const found = await difference(dtype, name, committedTexts())
    if (!found) return t.skip(`this CPU does not compute in ${dtype}`)
    assert.ok(found.rmsError <= error, `rms error ${found.rmsError}, bar ${error}`)
    assert.ok(found.rmsError > 1e-4, `rms error ${found.rmsError}: it did not compute in ${dtype}`)
  })
}

for (const name of ['deberta-mini-en', 'deberta-mini-en-sentiment']) {
  test(`${name} in int8: decisions on SST-2 dev`, async (t) => {
    const [{ name: source, texts }] = textSets({ heldOut: false })
    if (source !== 'SST-2 dev') return t.skip('the external fixtures are not there (test/fixtures/README.md)')
    const found = await difference('int8', name, texts)
    if (!found) return t.skip('this CPU does not compute in int8')
    assert.ok(found.decisions > 800)
    assert.ok(
      found.flips <= FLIPS_INT8 * found.decisions,
      `${found.flips} of ${found.decisions} decisions changed`,
    )
  })
}
