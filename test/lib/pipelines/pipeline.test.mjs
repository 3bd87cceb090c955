import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test from 'node:test'
import { bundledModelPath, loadModel, pipeline } from 'deberta'

const sentiment = bundledModelPath('deberta-mini-en-sentiment')

test('a task needs a model of its kind', async () => {
  await assert.rejects(pipeline('fill-mask', sentiment), {
    code: 'DEBERTA_ERR_INVALID_ARGUMENT',
    message: /'fill-mask' needs a model of the task 'masked-lm', this one's is 'sequence-classification'/,
  })
  await assert.rejects(pipeline('translation', sentiment), /for `task`, got 'translation'/)
  await assert.rejects(pipeline('toString', sentiment), /for `task`/)
})

test('load options belong to a folder, not to a loaded model', async () => {
  await assert.rejects(pipeline('text-classification', sentiment, { dvice: 'cpu' }), /did you mean `device`/)
  const model = await loadModel(sentiment)
  await assert.rejects(pipeline('text-classification', model, { device: 'cpu' }), /no option `device`/)
  model.dispose()
})

test('the bundled models are where bundledModelPath says', () => {
  for (const name of ['deberta-mini-en', 'deberta-mini-en-sentiment'])
    assert.ok(existsSync(`${bundledModelPath(name)}/config.json`))
  assert.throws(() => bundledModelPath('bert'), { code: 'DEBERTA_ERR_INVALID_ARGUMENT' })
})
