import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'

const require = createRequire(import.meta.url)
const { chunksOf, forEachChunk } = require('../../../dist/pipelines/chunks.js')

const encodings = (lengths) => lengths.map((length) => ({ inputIds: new Int32Array(length) }))
const lengthsOf = (chunks) => chunks.map((chunk) => chunk.encodings.map(({ inputIds }) => inputIds.length))

test('chunks hold at most so many tokens; a longer text stands alone', () => {
  assert.deepEqual(lengthsOf([...chunksOf(encodings([3, 4, 2, 20, 1, 9, 1]), 10)]), [
    [3, 4, 2],
    [20],
    [1, 9],
    [1],
  ])
  assert.deepEqual(
    [...chunksOf(encodings([1, 1, 1]), 2)].map(({ start }) => start),
    [0, 2],
  )
  assert.deepEqual([...chunksOf([], 2)], [])
})

test('two chunks are in flight, never more', async () => {
  let running = 0
  let most = 0
  await forEachChunk(encodings(Array(9).fill(5)), 5, async () => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 1))
    running--
  })
  assert.equal(most, 2)
  assert.equal(running, 0)
})

test('the first failure ends the loop; a second one is not an unhandled rejection', async () => {
  let calls = 0
  const failing = forEachChunk(encodings(Array(9).fill(5)), 5, async ({ start }) => {
    calls++
    await new Promise((resolve) => setTimeout(resolve, 1))
    throw new Error(`chunk ${start}`)
  })
  await assert.rejects(failing, /chunk 0/)
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(calls, 2)
})
