// The tokenizer's face: options, shapes, batches. That the tokens are right is tested against goldens here for the
// committed vocabularies; test/native/tokenizer has the algorithms.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { loadTokenizer } from 'deberta'
import { bundled, fixtures } from '../support/paths.mjs'

const unigram = await loadTokenizer(bundled('deberta-mini-en'))
const invalid = { code: 'DEBERTA_ERR_INVALID_ARGUMENT' }
const tooLong = { code: 'DEBERTA_ERR_SEQUENCE_TOO_LONG' }
const long = 'She opened the door and walked into the room. '.repeat(20)

for (const name of ['tiny-en-2k', 'bpe-2k']) {
  test(`${name}: ids, tokens and offsets of every golden line`, async () => {
    const folder = `${fixtures}/tokenizers/${name}`
    const tokenizer = await loadTokenizer(folder)
    const lines = readFileSync(`${folder}/golden.jsonl`, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.ok(lines.length > 20)
    const options = { addSpecialTokens: false, offsets: true }
    const batch = await tokenizer.encodeBatch(
      lines.map(({ text }) => text),
      options,
    )
    for (const [i, { text, ids, tokens, offsets }] of lines.entries()) {
      const encoding = tokenizer.encode(text, options)
      assert.deepEqual(Array.from(encoding.inputIds), ids, JSON.stringify(text))
      assert.deepEqual(
        ids.map((id) => tokenizer.idToToken(id)),
        tokens,
      )
      assert.deepEqual(Array.from(encoding.offsets), offsets.flat(), JSON.stringify(text))
      assert.deepEqual(batch[i], encoding)
    }
  })
}

test('a folder of tokenizer files alone is enough, and says what it is', () => {
  assert.equal(unigram.algorithm, 'unigram')
  assert.ok(unigram.vocabSize > 8000)
  assert.equal(unigram.specialTokens.mask, 8000)
  assert.equal(unigram.idToToken(8000), '[MASK]')
  assert.equal(unigram.tokenToId('[MASK]'), 8000)
  assert.equal(unigram.tokenToId('no such piece'), undefined)
})

test('shapes: ids, token types and sequence ids of a pair', () => {
  const { inputIds, tokenTypeIds, sequenceIds, offsets, truncatedTokens } = unigram.encode('the door', {
    textPair: 'the room',
    offsets: true,
  })
  const { cls, sep } = unigram.specialTokens
  assert.ok(inputIds instanceof Int32Array && tokenTypeIds instanceof Int32Array)
  assert.deepEqual(Array.from(sequenceIds), [-1, 0, 0, -1, 1, 1, -1])
  assert.deepEqual(Array.from(tokenTypeIds), [0, 0, 0, 0, 1, 1, 1])
  assert.deepEqual([inputIds[0], inputIds[3], inputIds[6]], [cls, sep, sep])
  assert.deepEqual(Array.from(offsets), [0, 0, 0, 3, 4, 8, 0, 0, 0, 3, 4, 8, 0, 0])
  assert.equal(truncatedTokens, 0)
  assert.equal(unigram.encode('x').offsets, undefined)
})

test('special tokens in a text mean nothing unless asked', () => {
  const { sep, mask } = unigram.specialTokens
  const count = (text, options, id) =>
    unigram.encode(text, { ...options, addSpecialTokens: false }).inputIds.filter((each) => each === id)
      .length
  assert.equal(count('a [SEP] b [MASK]', {}, sep), 0)
  assert.equal(count('a [SEP] b [MASK]', {}, mask), 0)
  assert.equal(count('a [SEP] b [MASK]', { parseSpecialTokens: true }, sep), 1)
  assert.equal(count('a [SEP] b [MASK]', { parseSpecialTokens: 'mask' }, sep), 0)
  assert.equal(count('a [SEP] b [MASK]', { parseSpecialTokens: 'mask' }, mask), 1)
})

test('over the limit: an error, truncation, or windows that lose no token', () => {
  const whole = unigram.encode(long, { addSpecialTokens: false }).inputIds
  assert.ok(whole.length > 100)
  assert.throws(() => unigram.encode(long, { maxLength: 16 }), tooLong)
  const cut = unigram.encode(long, { maxLength: 16, truncation: 'longest_first' })
  assert.equal(cut.inputIds.length, 16)
  assert.equal(cut.truncatedTokens, whole.length - 14)
  const stride = 3
  const windows = unigram.encode(long, { maxLength: 16, windows: true, stride })
  const seen = windows.flatMap(({ inputIds }, i) =>
    Array.from(inputIds.subarray(1, -1)).slice(i === 0 ? 0 : stride),
  )
  assert.deepEqual(seen, Array.from(whole))
  assert.throws(() => unigram.encode(long, { truncation: 'longest_first' }), invalid)
  assert.throws(() => unigram.encode(long, { windows: true }), invalid)
})

test('what is wrong is refused by name', async () => {
  const cases = [
    [() => unigram.encode(5), /expected a string for `text`, got 5/],
    [() => unigram.encode('x', { textpair: 'y' }), /did you mean `textPair`/],
    [() => unigram.encode('x', { textPair: 3 }), /`textPair`/],
    [() => unigram.encode('x', { maxLength: 0 }), /positive integer for `maxLength`/],
    [() => unigram.encode('x', { truncation: 'left' }), /'longest_first' or 'only_first' or 'only_second'/],
    [() => unigram.encode('x', { stride: -1 }), /`stride`/],
    [() => unigram.encode('x', { offsets: 1 }), /a boolean for `offsets`/],
    [() => unigram.encode('x', { parseSpecialTokens: 'all' }), /`parseSpecialTokens`/],
    [() => unigram.encode('x', { signal: AbortSignal.timeout(1) }), /encode has no option `signal`/],
    [() => unigram.decode('x'), /`ids`/],
    [() => unigram.decode([1], { skip: true }), /no option `skip`/],
    [() => unigram.decode([-1]), /-1/],
    [() => unigram.decode([10 ** 6]), /1000000/],
    [() => unigram.idToToken(-1), /`id`/],
    [() => unigram.idToToken(10 ** 6), /`id`/],
    [() => unigram.idToToken(), /`id`/],
    [() => unigram.tokenToId(3), /`token`/],
  ]
  for (const [call, message] of cases)
    assert.throws(call, (error) => {
      assert.equal(error.code, 'DEBERTA_ERR_INVALID_ARGUMENT', String(call))
      assert.match(error.message, message)
      return true
    })
  await assert.rejects(unigram.encodeBatch('text'), /an array of texts/)
  await assert.rejects(unigram.encodeBatch(['a', 7]), /`texts\[1\]`, got 7/)
  await assert.rejects(unigram.encodeBatch([{ text: 'a', textPair: 1 }]), /`texts\[0\].textPair`/)
  await assert.rejects(unigram.encodeBatch([null]), invalid)
})

test('a batch equals its texts one by one; an error names the text', async () => {
  const texts = [
    '',
    'a',
    long,
    { text: 'one', textPair: 'two' },
    'naïve 😀 \ud800 \0',
    ...Array(600).fill(long),
  ]
  const batch = await unigram.encodeBatch(texts, { offsets: true })
  assert.equal(batch.length, texts.length)
  for (const [i, input] of texts.slice(0, 6).entries()) {
    const { text, textPair } = typeof input === 'string' ? { text: input } : input
    assert.deepEqual(batch[i], unigram.encode(text, { textPair, offsets: true }))
  }
  assert.deepEqual(batch.at(-1), batch[2])
  assert.deepEqual(await unigram.encodeBatch([]), [])
  const many = await unigram.encodeBatch(Array.from({ length: 5000 }, (_, i) => `text ${i}`))
  for (const i of [0, 1023, 1024, 2048, 4999])
    assert.deepEqual(many[i].inputIds, unigram.encode(`text ${i}`).inputIds)
  const bad = [...Array(3500).fill('short'), ...Array(300).fill(long)]
  await assert.rejects(unigram.encodeBatch(bad, { maxLength: 16 }), { ...tooLong, message: /^text 3500: / })
})

test('a batch stops when its signal aborts', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const running = unigram.encodeBatch(Array(20000).fill(long), { signal: controller.signal })
  setTimeout(() => controller.abort(reason), 5)
  await assert.rejects(running, (error) => error === reason)
})

test('strings of any kind survive: empty, NUL, lone surrogates, 10 MB', async () => {
  assert.equal(unigram.encode('', { addSpecialTokens: false }).inputIds.length, 0)
  for (const text of ['\0', 'a\0b', '\ud800', 'x\udfffy', '\ud83d'])
    assert.ok(unigram.encode(text).inputIds.length >= 2)
  const [huge] = await unigram.encodeBatch([long.repeat(Math.ceil(1e7 / long.length))])
  assert.ok(huge.inputIds.length > 1e6)
})

test('decode gives the text back', () => {
  const { inputIds } = unigram.encode('She opened the door.')
  assert.equal(unigram.decode(inputIds), 'She opened the door.')
  assert.equal(unigram.decode(Array.from(inputIds)), 'She opened the door.')
  assert.match(unigram.decode(inputIds, { skipSpecialTokens: false }), /^\[CLS\].*\[SEP\]$/)
})

test('after dispose every call is an error; a running batch still ends', async () => {
  const tokenizer = await loadTokenizer(bundled('deberta-mini-en'))
  const running = tokenizer.encodeBatch(Array(500).fill(long))
  tokenizer.dispose()
  tokenizer.dispose()
  assert.equal((await running).length, 500)
  const disposed = { code: 'DEBERTA_ERR_DISPOSED' }
  assert.throws(() => tokenizer.encode('x'), disposed)
  assert.throws(() => tokenizer.decode([1]), disposed)
  assert.throws(() => tokenizer.idToToken(1), disposed)
  assert.throws(() => tokenizer.tokenToId('x'), disposed)
  await assert.rejects(tokenizer.encodeBatch(['x']), disposed)
})

test('missing and malformed tokenizer files', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'deberta-tokenizer-'))
  t.after(() => rmSync(folder, { recursive: true }))
  await assert.rejects(loadTokenizer(folder), { code: 'DEBERTA_ERR_FILE_NOT_FOUND' })
  writeFileSync(join(folder, 'spm.model'), Buffer.from('not a SentencePiece model'))
  await assert.rejects(loadTokenizer(folder), { code: 'DEBERTA_ERR_TOKENIZER_FILE' })
  await assert.rejects(loadTokenizer(3), invalid)
  await assert.rejects(loadTokenizer(folder, { device: 'cpu' }), invalid)
})
