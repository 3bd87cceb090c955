// The command line end to end, as a user runs it.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { runNode } from '../../support/child.mjs'
import { bundled, cli, root } from '../../support/paths.mjs'

const deberta = (args, options) => runNode([cli, ...args], options)

async function records(args, options) {
  const { code, stdout, stderr } = await deberta(args, options)
  assert.equal(code, 0, stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test('classify: texts from arguments, with the bundled model', async () => {
  const [good, bad] = await records(['classify', 'A gorgeous, witty film.', 'An utter waste of time.'])
  assert.equal(good.label, 'POSITIVE')
  assert.ok(good.score > 0.9)
  assert.deepEqual(
    { text: bad.text, label: bad.label },
    { text: 'An utter waste of time.', label: 'NEGATIVE' },
  )
  const [all] = await records(['classify', '--top-k', 'all', '--activation', 'none', 'A film.'])
  assert.deepEqual(all.labels.map(({ label }) => label).sort(), ['NEGATIVE', 'POSITIVE'])
})

test('classify: lines of stdin, in order, more than one block', async () => {
  const lines = Array.from({ length: 600 }, (_, i) => `text number ${i}`)
  const results = await records(['classify'], { input: `${lines.join('\r\n')}\n` })
  assert.deepEqual(
    results.map(({ text }) => text),
    lines,
  )
})

test('classify: files of text and of JSON lines, pairs too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'deberta-cli-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'texts.txt'), 'one\ntwo\n')
  assert.deepEqual(
    (await records(['classify', '--file', join(folder, 'texts.txt')])).map(({ text }) => text),
    ['one', 'two'],
  )
  const jsonl = join(folder, 'texts.jsonl')
  writeFileSync(jsonl, '"plain"\n\n{"text":"a","textPair":"b"}\n{"text":"c","text_pair":"d"}\n')
  const results = await records(['classify', '--file', jsonl])
  assert.deepEqual(
    results.map(({ text, textPair }) => [text, textPair]),
    [
      ['plain', undefined],
      ['a', 'b'],
      ['c', 'd'],
    ],
  )
  writeFileSync(jsonl, '{"text":"a"}\n{"txt":"b"}\n')
  const wrong = await deberta(['classify', '--file', jsonl])
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /^DEBERTA_ERR_INVALID_ARGUMENT: .*texts.jsonl:2/)
  const missing = await deberta(['classify', '--file', join(folder, 'none.txt')])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /^DEBERTA_ERR_FILE_NOT_FOUND: /)
})

test('fill-mask', async () => {
  const [{ predictions }] = await records([
    'fill-mask',
    '--top-k',
    '2',
    'She opened the [MASK] and walked into the room.',
  ])
  assert.deepEqual(
    predictions.map(({ tokenString }) => tokenString),
    ['room', 'door'],
  )
})

test('embed: unit vectors, or not', async () => {
  const [{ embedding }] = await records(['embed', 'a text'])
  assert.equal(embedding.length, 192)
  assert.ok(Math.abs(Math.hypot(...embedding) - 1) < 1e-5)
  const [raw] = await records(['embed', '--pooling', 'cls', '--no-normalize', 'a text'])
  assert.ok(Math.abs(Math.hypot(...raw.embedding) - 1) > 0.1)
})

test('tokenize', async () => {
  const [record] = await records(['tokenize', '--offsets', 'the door'])
  assert.deepEqual(record.tokens, ['[CLS]', '▁the', '▁door', '[SEP]'])
  assert.deepEqual(record.offsets, [
    [0, 0],
    [0, 3],
    [4, 8],
    [0, 0],
  ])
  assert.equal(record.inputIds.length, 4)
  const [bare] = await records(['tokenize', '--no-special-tokens', '--text-pair', 'room', 'the door'])
  assert.deepEqual(bare.tokens, ['▁the', '▁door', '▁room'])
  const [cut] = await records(['tokenize', '--max-length', '3', '--truncation', 'longest_first', 'the door'])
  assert.equal(cut.truncatedTokens, 1)
})

test('info and devices', async () => {
  const [info] = await records(['info', bundled('deberta-mini-en-sentiment'), '--device', 'cpu'])
  assert.equal(info.task, 'sequence-classification')
  assert.equal(info.device, 'cpu')
  assert.deepEqual(info.labels, ['NEGATIVE', 'POSITIVE'])
  const devices = await records(['devices'])
  assert.ok(devices.some(({ name, available }) => name === 'cpu' && available))
})

test('help and version', async () => {
  const help = await deberta(['--help'])
  assert.equal(help.code, 0)
  for (const name of ['classify', 'fill-mask', 'embed', 'tokenize', 'info', 'devices']) {
    assert.match(help.stdout, new RegExp(`^ {2}${name} `, 'm'))
    const own = await deberta([name, '--help'])
    assert.equal(own.code, 0)
    assert.match(own.stdout, new RegExp(`^Usage: deberta ${name} `))
  }
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  assert.equal((await deberta(['--version'])).stdout, `${version}\n`)
})

test('wrong usage exits with 2, an error with 1 and its code', async () => {
  for (const args of [
    [],
    ['translate'],
    ['classify', '--modle', 'x', 'text'],
    ['classify', '--top-k', 'many', 'text'],
    ['classify', '--file', 'x', 'text'],
    ['embed', '--pooling', 'none', 'text'],
    ['info', 'a', 'b'],
  ])
    assert.equal((await deberta(args)).code, 2, args.join(' '))
  const missing = await deberta(['classify', '--model', '/nonexistent', 'text'])
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /^DEBERTA_ERR_FILE_NOT_FOUND: [^\n]*\n$/)
  assert.equal(missing.stdout, '')
})

test('an error names the text by its place in the whole input', async () => {
  const lines = [...Array(400).fill('short'), 'long '.repeat(600)]
  const { code, stderr } = await deberta(['classify'], { input: lines.join('\n') })
  assert.equal(code, 1)
  assert.match(stderr, /^DEBERTA_ERR_SEQUENCE_TOO_LONG: text 400 /)
})

test('a reader that leaves early ends the command quietly', async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `text ${i}`)
  const { code, stderr } = await deberta(['tokenize'], {
    input: lines.join('\n'),
    onStart: (child) => child.stdout.once('data', () => child.stdout.destroy()),
  })
  assert.equal(code, 0)
  assert.equal(stderr, '')
})

test('an interrupt ends a command that waits for lines', async () => {
  const { code } = await deberta(['classify'], {
    input: null,
    onStart: (child) => setTimeout(() => child.kill('SIGINT'), 1000),
  })
  assert.equal(code, 130)
})
