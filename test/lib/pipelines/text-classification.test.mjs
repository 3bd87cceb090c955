import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import { bundledModelPath, loadModel, pipeline } from 'deberta'
import { model as fixture } from '../../support/paths.mjs'

const directory = bundledModelPath('deberta-mini-en-sentiment')
const classify = await pipeline('text-classification', directory, { device: 'cpu', dtype: 'float32' })
const golden = JSON.parse(readFileSync(`${directory}/golden/classify.json`, 'utf8'))
const near = (actual, expected, bound = 1e-4) =>
  assert.ok(Math.abs(actual - expected) <= bound, `${actual} is not within ${bound} of ${expected}`)
const long = 'dull and lifeless '.repeat(300)

test('labels and scores of the golden texts', async () => {
  for (const { text, scores, logits } of golden) {
    const best = scores[1] > scores[0] ? 1 : 0
    const result = await classify(text)
    assert.equal(result.label, ['NEGATIVE', 'POSITIVE'][best])
    near(result.score, scores[best])
    const raw = await classify(text, { topK: null, activation: 'none' })
    near(raw[0].score, logits[best])
  }
})

test('one result per input, in order, whatever the batches', async () => {
  const texts = golden.map(({ text }) => text)
  const alone = []
  for (const text of texts) alone.push(await classify(text))
  assert.deepEqual(await classify(texts), alone)
  const many = Array.from({ length: 700 }, (_, i) => texts[i % texts.length])
  const progress = []
  const results = await classify(many, { onProgress: (each) => progress.push(each) })
  assert.deepEqual(
    results,
    many.map((_, i) => alone[i % texts.length]),
  )
  assert.deepEqual(progress.at(-1), { done: 700, total: 700 })
  assert.deepEqual(await classify([]), [])
})

test('topK: a number, null for all, absent for the best alone', async () => {
  const all = await classify('A gorgeous film.', { topK: null })
  assert.deepEqual(
    all.map(({ label }) => label),
    ['POSITIVE', 'NEGATIVE'],
  )
  near(all[0].score + all[1].score, 1, 1e-12)
  assert.deepEqual(await classify('A gorgeous film.', { topK: 1 }), all.slice(0, 1))
  assert.deepEqual(await classify('A gorgeous film.'), all[0])
  assert.deepEqual(await classify(['A gorgeous film.'], { topK: 9 }), [all])
})

test('activations: softmax, sigmoid, raw; the configuration decides by default', async () => {
  const sigmoid = (x) => 1 / (1 + Math.exp(-x))
  const raw = await classify('A film.', { topK: null, activation: 'none' })
  const sigmoids = await classify('A film.', { topK: null, activation: 'sigmoid' })
  for (const [i, { score }] of sigmoids.entries()) near(score, sigmoid(raw[i].score), 1e-12)
  const multi = await pipeline('text-classification', fixture('v3-multilabel'), { device: 'cpu' })
  const scores = await multi('some text', { topK: null })
  const logits = await multi('some text', { topK: null, activation: 'none' })
  assert.deepEqual(scores.map(({ label }) => label).sort(), ['insult', 'spam', 'threat', 'toxic'])
  for (const [i, { score }] of scores.entries()) near(score, sigmoid(logits[i].score), 1e-12)
  const reranker = await pipeline('text-classification', fixture('v3-reranker-sharded'), { device: 'cpu' })
  const pair = { text: 'a query', textPair: 'a passage' }
  const { label, score } = await reranker(pair)
  assert.equal(label, 'LABEL_0')
  near(score, sigmoid((await reranker(pair, { activation: 'none' })).score), 1e-12)
  multi.dispose()
  reranker.dispose()
})

test('pairs are encoded as pairs', async () => {
  const nli = await pipeline('text-classification', fixture('v3-classifier'), { device: 'cpu' })
  const pair = { text: 'It rains.', textPair: 'It is wet.' }
  const [alone, swapped] = await nli([pair, { text: pair.textPair, textPair: pair.text }], {
    topK: null,
    activation: 'none',
  })
  assert.notDeepEqual(alone, swapped)
  const encoding = nli.model.tokenizer.encode(pair.text, { textPair: pair.textPair })
  const { logits } = await nli.model.forward([encoding])
  assert.deepEqual(
    alone.map(({ score }) => score),
    Array.from(logits.data).sort((a, b) => b - a),
  )
  nli.dispose()
})

test('a text over the limit is an error that names it, unless it may be cut', async () => {
  await assert.rejects(classify(['short', long]), (error) => {
    assert.equal(error.code, 'DEBERTA_ERR_SEQUENCE_TOO_LONG')
    assert.match(error.message, /text 1 has \d+ tokens, the limit is 512/)
    assert.equal(error.details.index, 1)
    return true
  })
  assert.equal((await classify(long, { truncation: 'longest_first' })).label, 'NEGATIVE')
  assert.equal((await classify(long, { maxLength: 4096 })).label, 'NEGATIVE')
  await assert.rejects(classify('one two three four', { maxLength: 4 }), {
    code: 'DEBERTA_ERR_SEQUENCE_TOO_LONG',
  })
})

test('an abort rejects with the reason', async () => {
  const controller = new AbortController()
  const reason = { custom: true }
  const running = classify(Array(2000).fill(golden[0].text), { signal: controller.signal })
  setTimeout(() => controller.abort(reason), 10)
  await assert.rejects(running, (error) => error === reason)
})

test('what is wrong is refused by name', async () => {
  const cases = [
    ['x', { topk: 2 }, /did you mean `topK`/],
    ['x', { topK: 0 }, /`topK`/],
    ['x', { activation: 'relu' }, /`activation`/],
    ['x', { truncation: true }, /`truncation`/],
    ['x', { onProgress: 1 }, /`onProgress`/],
    [5, {}, /texts\[0\]/],
    [['x', undefined], {}, /texts\[1\]/],
  ]
  for (const [input, options, message] of cases)
    await assert.rejects(classify(input, options), { code: 'DEBERTA_ERR_INVALID_ARGUMENT', message })
})

test('dispose ends the model of its own, and leaves a model that was passed in', async () => {
  const own = await pipeline('text-classification', directory)
  own.dispose()
  await assert.rejects(own('x'), { code: 'DEBERTA_ERR_DISPOSED' })
  const model = await loadModel(directory)
  const borrowed = await pipeline('text-classification', model)
  borrowed.dispose()
  assert.equal(borrowed.model, model)
  assert.equal(borrowed.task, 'text-classification')
  await borrowed('x')
  model.dispose()
})
