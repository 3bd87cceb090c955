// The float64 goldens of test/fixtures/models as the API gives its results: sequences without padding, rows packed.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { model } from './paths.mjs'
import { readSafetensors } from './safetensors.mjs'

const logitPositions = 12 // vocabulary logits of the goldens are cut to so many positions

/** { tensors, errors, lengths, sequences, positions } of one fixture model. */
export function readGolden(name) {
  const tensors = readSafetensors(`${model(name)}/golden/forward.safetensors`)
  const meta = JSON.parse(readFileSync(`${model(name)}/golden/meta.json`, 'utf8'))
  const { input_ids: ids, token_type_ids: types } = tensors
  const [count, width] = ids.dims
  const { lengths } = meta
  assert.equal(lengths.length, count)
  const sequences = lengths.map((length, s) => ({
    inputIds: ids.data.slice(s * width, s * width + length),
    tokenTypeIds: types.data.slice(s * width, s * width + length),
  }))
  const positions = lengths.map((length) =>
    Array.from({ length: Math.min(length, logitPositions) }, (_, i) => i),
  )
  return { tensors, errors: meta.torch_float32_max_abs_err, lengths, sequences, positions }
}

/** The rows of real tokens of a padded golden [sequences, width, …], end to end. */
export function packRows({ data, dims }, lengths) {
  const [, width, ...rest] = dims
  const features = rest.reduce((product, size) => product * size, 1)
  const packed = new Float32Array(lengths.reduce((sum, length) => sum + length, 0) * features)
  let row = 0
  for (const [s, length] of lengths.entries()) {
    const begin = s * width * features
    packed.set(data.subarray(begin, begin + length * features), row * features)
    row += length
  }
  return packed
}

/** Sequence s of padded attention maps [sequences, heads, width, width], as [heads, n, n]. */
export function cutMap({ data, dims }, s, length) {
  const [, heads, width] = dims
  const cut = new Float32Array(heads * length * length)
  for (let h = 0; h < heads; h++)
    for (let i = 0; i < length; i++) {
      const begin = ((s * heads + h) * width + i) * width
      cut.set(data.subarray(begin, begin + length), (h * length + i) * length)
    }
  return cut
}

/** Asserts |actual - golden| ≤ max(3 × PyTorch's own float32 error, 4e-6 of the largest magnitude), everywhere. */
export function assertClose(actual, golden, torchError, what) {
  assert.equal(actual.length, golden.length, `${what}: number of elements`)
  let largest = 0
  let error = 0
  for (let i = 0; i < golden.length; i++) {
    largest = Math.max(largest, Math.abs(golden[i]))
    const difference = Math.abs(actual[i] - golden[i])
    assert.ok(!Number.isNaN(difference), `${what}: not a number at ${i}`)
    error = Math.max(error, difference)
  }
  const bound = Math.max(3 * (torchError ?? 0), 4e-6 * largest)
  assert.ok(error <= bound, `${what}: error ${error} over the bound ${bound}`)
}
