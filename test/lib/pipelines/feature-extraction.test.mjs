import assert from 'node:assert/strict'
import test from 'node:test'
import { bundledModelPath, pipeline, Tensor } from 'deberta'

const extract = await pipeline('feature-extraction', bundledModelPath('deberta-mini-en'), { device: 'cpu' })
const texts = ['She opened the door.', 'He sat down by the fire.', 'The train was late.']

test('shapes: one text or many, pooled or not', async () => {
  const one = await extract(texts[0])
  assert.ok(one instanceof Tensor)
  assert.deepEqual(one.dims, [extract.model.tokenizer.encode(texts[0]).inputIds.length, 192])
  assert.deepEqual((await extract(texts[0], { pooling: 'mean' })).dims, [192])
  assert.deepEqual((await extract(texts, { pooling: 'cls' })).dims, [3, 192])
  const each = await extract(texts)
  assert.deepEqual(each[0], one)
  assert.deepEqual(
    each.map(({ dims }) => dims[1]),
    [192, 192, 192],
  )
  assert.deepEqual((await extract([], { pooling: 'mean' })).dims, [0, 192])
})

test('a text’s vector is that of model.embed, alone or among others', async () => {
  const { model } = extract
  const { embeddings } = await model.embed([model.tokenizer.encode(texts[1])], {
    pooling: 'mean',
    normalize: true,
  })
  const many = await extract(Array(200).fill(texts).flat(), { pooling: 'mean', normalize: true })
  assert.deepEqual(many.dims, [600, 192])
  assert.deepEqual(many.row(1), embeddings.data)
  assert.deepEqual(many.row(598), embeddings.data)
  assert.ok(Math.abs(Math.hypot(...many.row(0)) - 1) < 1e-6)
})

test('what is wrong is refused by name', async () => {
  await assert.rejects(extract('x', { pooling: 'max' }), /'none' or 'cls' or 'mean' for `pooling`/)
  await assert.rejects(extract('x', { normalise: true }), /did you mean `normalize`/)
  await assert.rejects(extract('x', { normalize: 'yes' }), /`normalize`/)
})
