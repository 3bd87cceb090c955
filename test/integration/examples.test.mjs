// The examples run, and print what they promise.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import test from 'node:test'
import { runNode } from '../support/child.mjs'
import { root } from '../support/paths.mjs'

const example = (name) => `${root}examples/${name}`

test('every example has its test here', () => {
  assert.deepEqual(readdirSync(`${root}examples`).sort(), [
    'classify-server.mjs',
    'embeddings.mjs',
    'fill-mask.mjs',
    'worker.mjs',
  ])
})

test('fill-mask', async () => {
  const { code, stdout, stderr } = await runNode([example('fill-mask.mjs')])
  assert.equal(code, 0, stderr)
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 5)
  assert.match(lines[0], /^0\.333 She opened the room and walked into the room\.$/)
})

test('embeddings', async () => {
  const { code, stdout, stderr } = await runNode([example('embeddings.mjs')])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^0\.\d+ The old lady poured another cup of tea\.\n/)
  const scores = stdout.trimEnd().split('\n').map(Number.parseFloat)
  assert.equal(scores.length, 4)
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  )
  for (const score of scores) assert.ok(score > -1 && score <= 1)
})

test('worker', async () => {
  const { code, stdout, stderr } = await runNode([example('worker.mjs')])
  assert.equal(code, 0, stderr)
  const lines = stdout.trimEnd().split('\n').sort()
  assert.match(lines[0], /^NEGATIVE 0\.\d+ Two hours/)
  assert.match(lines[1], /^POSITIVE 0\.\d+ A gorgeous/)
})

test('classify-server: answers, refuses by status, survives a client that leaves, ends on SIGTERM', async () => {
  const server = spawn(process.execPath, [example('classify-server.mjs'), '0'], { cwd: root })
  try {
    const [line] = await once(server.stdout.setEncoding('utf8'), 'data')
    const url = `http://127.0.0.1:${/\d+/.exec(line)[0]}`
    const post = (body, signal) => fetch(url, { method: 'POST', body: JSON.stringify(body), signal })

    const answer = await post({ texts: ['A gorgeous film.', 'An utter waste of time.'] })
    assert.equal(answer.status, 200)
    assert.deepEqual(
      (await answer.json()).map(({ label }) => label),
      ['POSITIVE', 'NEGATIVE'],
    )
    const tooLong = await post({ texts: ['word '.repeat(2000)] })
    assert.equal(tooLong.status, 413)
    assert.equal((await tooLong.json()).code, 'DEBERTA_ERR_SEQUENCE_TOO_LONG')
    assert.equal((await post({ texts: [1] })).status, 400)
    assert.equal((await fetch(url, { method: 'POST', body: '{' })).status, 400)
    await assert.rejects(post({ texts: Array(5000).fill('a long job') }, AbortSignal.timeout(100)))
    assert.equal((await post({ texts: ['still here'] })).status, 200)
  } finally {
    server.kill('SIGTERM')
  }
  assert.deepEqual(await once(server, 'exit'), [0, null])
})
