// loadModel() and Model: shapes, options, errors, disposal. Values are held to the goldens in
// test/integration/golden-forward.test.mjs.
import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { loadModel, Model } from 'deberta'
import { bundled, model as fixture } from '../support/paths.mjs'

const invalid = { code: 'DEBERTA_ERR_INVALID_ARGUMENT' }
const disposed = { code: 'DEBERTA_ERR_DISPOSED' }
const maskedLm = await loadModel(bundled('deberta-mini-en'), { device: 'cpu', dtype: 'float32' })
const classifier = await loadModel(bundled('deberta-mini-en-sentiment'), { device: 'cpu' })

/** A copy of a model folder that the test may spoil. */
function copyOf(t, folder) {
  const copy = mkdtempSync(join(tmpdir(), 'deberta-model-'))
  t.after(() => rmSync(copy, { recursive: true }))
  cpSync(folder, copy, { recursive: true, mode: 0 })
  return copy
}

test('info, config and limits say what was loaded and why', () => {
  assert.ok(maskedLm instanceof Model)
  const { info, config } = maskedLm
  assert.equal(info.task, 'masked-lm')
  assert.equal(info.device, 'cpu')
  assert.equal(info.dtype, 'float32')
  assert.match(info.why, /'cpu' as asked.*'float32' as asked/)
  assert.equal(info.hasEmd, true)
  assert.ok(info.numParameters > 4e6 && info.numParameters < 6e6)
  assert.ok(info.weightBytesMapped + info.weightBytesPacked > 0)
  assert.ok(info.detail.length > 0)
  assert.equal(config.hidden_size, 192)
  assert.deepEqual(classifier.config.id2label, { 0: 'NEGATIVE', 1: 'POSITIVE' })
  assert.equal(maskedLm.maxLength, 512)
  assert.equal(maskedLm.maxBatchTokens, 16384)
})

test("device and dtype 'auto' choose, and say so", async () => {
  const model = await loadModel(bundled('deberta-mini-en'))
  assert.match(model.info.why, /device 'auto' chose '\w+'.*dtype 'auto' chose '\w+'/)
  model.dispose()
})

test('default output: logits alone, by the task', async () => {
  const result = await classifier.forward([{ inputIds: [1, 344, 2] }, { inputIds: Int32Array.of(1, 2) }])
  assert.deepEqual(Object.keys(result).sort(), ['cuSeqlens', 'logits'])
  assert.deepEqual(result.logits.dims, [2, 2])
  assert.ok(result.logits.data instanceof Float32Array)
  assert.deepEqual(result.cuSeqlens, Int32Array.of(0, 3, 5))
})

test('every output, in the order of the sequences', async () => {
  const outputs = ['logits', 'lastHiddenState', 'hiddenStates', 'attentions']
  const lengths = [5, 1, 17]
  const sequences = lengths.map((length) => ({ inputIds: Array.from({ length }, (_, i) => 5 + i) }))
  const result = await classifier.forward(sequences, { outputs })
  assert.deepEqual(result.lastHiddenState.dims, [23, 192])
  assert.equal(result.hiddenStates.length, 7)
  for (const states of result.hiddenStates) assert.deepEqual(states.dims, [23, 192])
  assert.deepEqual(result.hiddenStates.at(-1).data, result.lastHiddenState.data)
  assert.equal(result.attentions.length, 6)
  for (const layer of result.attentions) {
    assert.deepEqual(
      layer.map((map) => map.dims),
      lengths.map((length) => [3, length, length]),
    )
    for (const map of layer)
      for (let i = 0; i < map.dims[0] * map.dims[1]; i++) {
        const row = map.data.subarray(i * map.dims[2], (i + 1) * map.dims[2])
        assert.ok(Math.abs(row.reduce((sum, each) => sum + each, 0) - 1) < 1e-5)
      }
  }
})

test('masked LM: rows are the mask tokens, or the positions given', async () => {
  const sequence = maskedLm.tokenizer.encode('The [MASK] opened the [MASK].', { parseSpecialTokens: 'mask' })
  const byMask = await maskedLm.forward([sequence, { inputIds: [1, 2] }, sequence])
  assert.deepEqual(byMask.logits.dims, [4, maskedLm.config.vocab_size])
  assert.deepEqual(byMask.cuPositions, Int32Array.of(0, 2, 2, 4))
  const masks = Array.from(sequence.inputIds.keys()).filter((i) => sequence.inputIds[i] === 8000)
  const given = await maskedLm.forward([sequence], { positions: [masks] })
  assert.deepEqual(given.logits.data, byMask.logits.data.subarray(0, given.logits.data.length))
  const first = await maskedLm.forward([sequence], { positions: [Int32Array.of(masks[0])] })
  assert.deepEqual(first.logits.dims, [1, maskedLm.config.vocab_size])
  const plain = await maskedLm.forward([sequence], { decoder: 'plain' })
  const emd = await maskedLm.forward([sequence], { decoder: 'emd' })
  assert.notDeepEqual(plain.logits.data, emd.logits.data)
  assert.deepEqual(emd.logits.data, given.logits.data)
})

test('topTokens: the best of each row with their probabilities', async () => {
  const sequence = maskedLm.tokenizer.encode('The [MASK] opened the [MASK].', { parseSpecialTokens: 'mask' })
  const { logits } = await maskedLm.forward([sequence])
  const { ids, scores, k, cuPositions } = await maskedLm.topTokens([sequence], { topK: 3 })
  assert.equal(k, 3)
  assert.equal(ids.length, 6)
  assert.deepEqual(cuPositions, Int32Array.of(0, 2))
  for (let row = 0; row < 2; row++) {
    const values = Array.from(logits.row(row))
    const largest = Math.max(...values)
    const sum = values.reduce((total, each) => total + Math.exp(each - largest), 0)
    const order = values.map((value, id) => ({ value, id })).sort((a, b) => b.value - a.value || a.id - b.id)
    for (let i = 0; i < 3; i++) {
      assert.equal(ids[row * 3 + i], order[i].id)
      assert.ok(Math.abs(scores[row * 3 + i] - Math.exp(order[i].value - largest) / sum) < 1e-12)
    }
  }
  const everything = await maskedLm.topTokens([sequence], { topK: 10 ** 7 })
  assert.equal(everything.k, maskedLm.config.vocab_size)
  const total = everything.scores.subarray(0, everything.k).reduce((sum, score) => sum + score, 0)
  assert.ok(Math.abs(total - 1) < 1e-9)
  await assert.rejects(classifier.topTokens([{ inputIds: [1] }]), invalid)
})

test('embed: pooled rows equal those made of the hidden states', async () => {
  const sequences = [{ inputIds: [1, 344, 1047, 2] }, { inputIds: [1, 2] }]
  const { lastHiddenState } = await classifier.forward(sequences, { outputs: ['lastHiddenState'] })
  const rows = (begin, end) => Array.from({ length: end - begin }, (_, i) => lastHiddenState.row(begin + i))
  const mean = (list) => list[0].map((_, f) => list.reduce((sum, row) => sum + row[f], 0) / list.length)
  const near = (a, b) => a.every((value, i) => Math.abs(value - b[i]) < 1e-6)
  const pooled = await classifier.embed(sequences)
  assert.deepEqual(pooled.embeddings.dims, [2, 192])
  assert.ok(near(pooled.embeddings.row(0), mean(rows(0, 4))))
  assert.ok(near(pooled.embeddings.row(1), mean(rows(4, 6))))
  const cls = await classifier.embed(sequences, { pooling: 'cls' })
  assert.deepEqual(cls.embeddings.row(1), lastHiddenState.row(4))
  const none = await classifier.embed(sequences, { pooling: 'none', normalize: true })
  assert.deepEqual(none.embeddings.dims, [6, 192])
  const norm = Math.hypot(...none.embeddings.row(3))
  assert.ok(Math.abs(norm - 1) < 1e-6)
  await assert.rejects(classifier.embed(sequences, { pooling: 'max' }), invalid)
})

test('results do not depend on the company, bit for bit', async () => {
  const sequences = [3, 1, 40, 17].map((length, s) => ({
    inputIds: Array.from({ length }, (_, i) => 5 + ((i * 31 + s * 7) % 7000)),
  }))
  const together = await classifier.forward(sequences, { outputs: ['logits', 'lastHiddenState'] })
  for (const [s, sequence] of sequences.entries()) {
    const alone = await classifier.forward([sequence], { outputs: ['logits', 'lastHiddenState'] })
    assert.deepEqual(alone.logits.data, together.logits.row(s))
    const [begin, end] = together.cuSeqlens.subarray(s, s + 2)
    assert.deepEqual(
      alone.lastHiddenState.data,
      together.lastHiddenState.data.subarray(begin * 192, end * 192),
    )
  }
  const small = await loadModel(bundled('deberta-mini-en-sentiment'), { device: 'cpu', maxBatchTokens: 20 })
  const split = await small.forward(sequences)
  assert.deepEqual(split.logits.data, together.logits.data)
  small.dispose()
})

test('forward refuses by name what it cannot run', async () => {
  const cases = [
    [[], {}, /non-empty array of sequences/],
    ['text', {}, /`sequences`/],
    [[null], {}, /`sequences\[0\]`/],
    [[{ inputIds: [] }], {}, /at least one token for `sequences\[0\].inputIds`/],
    [[{ inputIds: [1] }, { inputIds: 'x' }], {}, /`sequences\[1\].inputIds`/],
    [[{ inputIds: [1.5] }], {}, /`sequences\[0\].inputIds\[0\]`, got 1.5/],
    [[{ inputIds: [1, 2], tokenTypeIds: [0] }], {}, /expected 2 elements for `sequences\[0\].tokenTypeIds`/],
    [[{ inputIds: [-1] }], {}, /-1/],
    [[{ inputIds: [1, 10 ** 6] }], {}, /1000000/],
    [[{ inputIds: [1] }], { output: ['logits'] }, /did you mean `outputs`/],
    [[{ inputIds: [1] }], { outputs: [] }, /`outputs`/],
    [[{ inputIds: [1] }], { outputs: 'logits' }, /`outputs`/],
    [[{ inputIds: [1] }], { outputs: ['pooled'] }, /`outputs\[0\]`, got 'pooled'/],
    [[{ inputIds: [1] }], { decoder: 'fast' }, /'auto' or 'emd' or 'plain'/],
    [[{ inputIds: [1] }], { choices: 0 }, /`choices`/],
    [[{ inputIds: [1] }], { positions: [[0], [0]] }, /one array per sequence \(1\)/],
    [[{ inputIds: [1] }], { positions: [[0.5]] }, /`positions\[0\]\[0\]`/],
    [[{ inputIds: [1] }], { positions: [[1]] }, /position/],
    [[{ inputIds: [1] }], { signal: {} }, /an AbortSignal/],
  ]
  for (const [sequences, options, message] of cases)
    await assert.rejects(maskedLm.forward(sequences, options), (error) => {
      assert.equal(error.code, 'DEBERTA_ERR_INVALID_ARGUMENT', error.stack)
      assert.match(error.message, message)
      return true
    })
})

test('errors carry the stack of the call', async () => {
  async function myCallingFunction() {
    await maskedLm.forward([{ inputIds: [10 ** 6] }])
  }
  await assert.rejects(myCallingFunction(), (error) =>
    /myCallingFunction.*model\.test\.mjs/.test(error.stack),
  )
})

test('loadModel refuses by name what it cannot load with', async () => {
  const directory = bundled('deberta-mini-en')
  const cases = [
    [3, {}, /a string for `directory`, got 3/],
    [directory, { devices: 'cpu' }, /did you mean `device`/],
    [directory, { device: 'gpu' }, /'auto', 'cpu', 'reference', 'cuda' or 'cuda:N' for `device`, got 'gpu'/],
    [directory, { dtype: 'fp16' }, /`dtype`, got 'fp16'/],
    [directory, { threads: 0 }, /`threads`/],
    [directory, { maxBatchTokens: 1.5 }, /`maxBatchTokens`/],
    [directory, { signal: 1 }, /`signal`/],
  ]
  for (const [folder, options, message] of cases)
    await assert.rejects(loadModel(folder, options), { ...invalid, message })
})

test('a dtype that the device lacks is an error', async () => {
  await assert.rejects(loadModel(bundled('deberta-mini-en'), { device: 'reference', dtype: 'int8' }), {
    code: 'DEBERTA_ERR_BACKEND_UNAVAILABLE',
  })
})

test('missing and malformed model files, by code', async (t) => {
  await assert.rejects(loadModel('/nonexistent/folder'), {
    code: 'DEBERTA_ERR_FILE_NOT_FOUND',
    message: /nonexistent/,
  })
  const folder = copyOf(t, fixture('v3-classifier'))
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  const loadWith = (changes) => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...changes }))
    return loadModel(folder, { device: 'cpu' })
  }
  await assert.rejects(loadWith({ num_hidden_layers: 3 }), {
    code: 'DEBERTA_ERR_WEIGHT_MISSING',
    message: /layer\.2/,
  })
  await assert.rejects(loadWith({ intermediate_size: 200 }), { code: 'DEBERTA_ERR_WEIGHT_SHAPE' })
  await assert.rejects(loadWith({ num_hidden_layers: 1 }), { code: 'DEBERTA_ERR_WEIGHT_UNEXPECTED' })
  await assert.rejects(loadWith({ hidden_act: 'sine' }), {
    code: 'DEBERTA_ERR_UNSUPPORTED_CONFIG',
    message: /sine/,
  })
  writeFileSync(join(folder, 'config.json'), '{"hidden_size": ')
  await assert.rejects(loadModel(folder), { code: 'DEBERTA_ERR_MODEL_FILE' })
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const weights = readFileSync(join(folder, 'model.safetensors'))
  writeFileSync(join(folder, 'model.safetensors'), weights.subarray(0, weights.length - 100))
  await assert.rejects(loadModel(folder), { code: 'DEBERTA_ERR_MODEL_FILE' })
})

test('a model without tokenizer files runs; the tokenizer is an error when it is used', async (t) => {
  const folder = copyOf(t, bundled('deberta-mini-en-sentiment'))
  rmSync(join(folder, 'spm.model'))
  const model = await loadModel(folder, { device: 'cpu' })
  assert.deepEqual((await model.forward([{ inputIds: [1, 2] }])).logits.dims, [1, 2])
  assert.throws(() => model.tokenizer, { code: 'DEBERTA_ERR_FILE_NOT_FOUND' })
  model.dispose()
  writeFileSync(join(folder, 'spm.model'), 'garbage')
  const spoiled = await loadModel(folder, { device: 'cpu' })
  assert.throws(() => spoiled.tokenizer, { code: 'DEBERTA_ERR_TOKENIZER_FILE' })
  spoiled.dispose()
})

test('a result that no memory can hold is an error, before any work', async () => {
  // One layer's maps would take 192 TB, more than an address space.
  const sequence = { inputIds: new Int32Array(4_000_000).fill(7) }
  await assert.rejects(classifier.forward([sequence], { outputs: ['attentions'] }), {
    code: 'DEBERTA_ERR_OUT_OF_MEMORY',
  })
})

test('a position-biased model refuses what its table does not cover', async () => {
  const model = await loadModel(fixture('v2-absolute'), { device: 'cpu' })
  await model.forward([{ inputIds: new Int32Array(512).fill(7) }])
  await assert.rejects(model.forward([{ inputIds: new Int32Array(513).fill(7) }]), {
    code: 'DEBERTA_ERR_SEQUENCE_TOO_LONG',
  })
  model.dispose()
})

test('after dispose every use is an error; a running forward still ends', async () => {
  const model = await loadModel(bundled('deberta-mini-en-sentiment'), { device: 'cpu' })
  const { tokenizer } = model
  const running = model.forward([{ inputIds: new Int32Array(300).fill(9) }])
  const queued = model.forward([{ inputIds: new Int32Array(30).fill(9) }])
  model.dispose()
  model.dispose()
  assert.deepEqual((await running).logits.dims, [1, 2])
  assert.deepEqual((await queued).logits.dims, [1, 2])
  await assert.rejects(model.forward([{ inputIds: [1] }]), disposed)
  await assert.rejects(model.embed([{ inputIds: [1] }]), disposed)
  await assert.rejects(model.topTokens([{ inputIds: [1] }]), disposed)
  assert.throws(() => model.tokenizer, disposed)
  assert.throws(() => tokenizer.encode('x'), disposed)
  assert.equal(model.info.task, 'sequence-classification')
})

test('using and await using dispose', {
  skip: Symbol.dispose ? false : 'this Node has no Symbol.dispose',
}, async () => {
  const model = await loadModel(bundled('deberta-mini-en-sentiment'), { device: 'cpu' })
  model[Symbol.dispose]()
  await assert.rejects(model.forward([{ inputIds: [1] }]), disposed)
  const other = await loadModel(bundled('deberta-mini-en-sentiment'), { device: 'cpu' })
  await other[Symbol.asyncDispose]()
  assert.throws(() => other.tokenizer, disposed)
})
