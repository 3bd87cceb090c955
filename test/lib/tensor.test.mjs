import assert from 'node:assert/strict'
import test from 'node:test'
import { Tensor } from 'deberta'

test('row gives a view of the first dimension', () => {
  const tensor = new Tensor(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2])
  assert.deepEqual(tensor.row(1), Float32Array.of(3, 4))
  tensor.row(2)[0] = 9
  assert.equal(tensor.data[4], 9)
  for (const index of [-1, 3, 0.5, NaN])
    assert.throws(() => tensor.row(index), { code: 'DEBERTA_ERR_INVALID_ARGUMENT' })
})

test('toArray nests by rows', () => {
  assert.deepEqual(new Tensor(Float32Array.of(1, 2, 3, 4), [2, 2]).toArray(), [
    [1, 2],
    [3, 4],
  ])
  assert.deepEqual(new Tensor(Float32Array.of(1, 2), [2]).toArray(), [1, 2])
})

test('a tensor keeps its own dims', () => {
  const dims = [1, 2]
  const tensor = new Tensor(new Float32Array(2), dims)
  dims[0] = 5
  assert.deepEqual(tensor.dims, [1, 2])
})
