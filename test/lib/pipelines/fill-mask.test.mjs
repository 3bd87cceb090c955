import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { bundledModelPath, pipeline } from 'deberta'

const directory = bundledModelPath('deberta-mini-en')
const fill = await pipeline('fill-mask', directory, { device: 'cpu', dtype: 'float32' })
const golden = JSON.parse(readFileSync(`${directory}/golden/fill_mask.json`, 'utf8'))

test('the best five of the golden texts, through the enhanced mask decoder', async () => {
  const results = await fill(golden.map(({ text }) => text))
  for (const [t, { top, text }] of golden.entries()) {
    assert.deepEqual(
      results[t].map(({ token }) => token),
      top.map(({ id }) => id),
      text,
    )
    for (const [i, { score, token, tokenString }] of results[t].entries()) {
      assert.ok(Math.abs(score - top[i].score) < 1e-4, `${text}: ${score} against ${top[i].score}`)
      assert.equal(fill.model.tokenizer.idToToken(token), top[i].token)
      assert.equal(tokenString, top[i].token.replace('▁', ''))
    }
  }
})

test('a prediction fills its own mask and leaves the others', async () => {
  const predictions = await fill('She opened the [MASK] and walked into the [MASK].', { topK: 2 })
  assert.deepEqual(
    predictions.map(({ mask }) => mask),
    [0, 0, 1, 1],
  )
  const [first, , third] = predictions
  assert.match(
    first.sequence,
    new RegExp(`^She opened the ${first.tokenString} and walked into the ?\\[MASK\\]`),
  )
  assert.match(
    third.sequence,
    new RegExp(`^She opened the ?\\[MASK\\] ?and walked into the ${third.tokenString}`),
  )
  for (const { sequence } of predictions) assert.doesNotMatch(sequence, /\[CLS\]|\[SEP\]/)
})

test('only the mask is recognised in a text', async () => {
  const [best] = await fill('[CLS] She opened the [MASK] [SEP]', { topK: 1 })
  assert.match(best.sequence, /\[CLS\].*\[SEP\]/)
})

test('a text without a mask is refused, by index', async () => {
  await assert.rejects(fill(['a [MASK]', 'none here']), {
    code: 'DEBERTA_ERR_INVALID_ARGUMENT',
    message: /expected \[MASK\] in text 1, found none/,
  })
  await assert.rejects(fill('a [MASK]', { topk: 1 }), /did you mean `topK`/)
  await assert.rejects(fill('a [MASK]', { topK: 1.5 }), /`topK`/)
  assert.deepEqual(await fill([]), [])
})

test('many texts keep their order through the batches', async () => {
  const texts = Array.from({ length: 300 }, (_, i) => golden[i % golden.length].text)
  const results = await fill(texts, { topK: 1 })
  for (const [i, [best]] of results.entries()) assert.equal(best.token, golden[i % golden.length].top[0].id)
})
