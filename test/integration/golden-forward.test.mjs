// Every fixture model, every backend and instruction set: hidden states, attention maps, logits and EMD logits against
// float64. The bound is max(3 × PyTorch's own float32 error, 4e-6 of the largest magnitude) (test/support/golden.mjs).
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import test from 'node:test'
import { runNode } from '../support/child.mjs'
import { fixtures, root } from '../support/paths.mjs'

const names = readdirSync(`${fixtures}/models`)

async function checkGoldens(device, env) {
  const { code, stdout, stderr } = await runNode([`${root}test/support/check-goldens.mjs`, device], { env })
  return { code, stderr, results: code === 0 ? JSON.parse(stdout) : undefined }
}

function assertComplete(results, detail) {
  assert.deepEqual(Object.keys(results), names)
  for (const [name, result] of Object.entries(results)) {
    assert.ok(result.compared.length > 0, `${name}: something was compared`)
    if (detail) assert.equal(result.detail, detail, name)
  }
  const all = new Set(
    Object.values(results).flatMap(({ compared }) => compared.map((key) => key.split('.')[0])),
  )
  for (const key of [
    'hidden_states',
    'last_hidden_state',
    'attentions',
    'logits',
    'emd_logits',
    'start_logits',
  ])
    assert.ok(all.has(key), key)
}

test('reference', async () => {
  const { code, stderr, results } = await checkGoldens('reference')
  assert.equal(code, 0, stderr)
  assertComplete(results)
})

for (const isa of ['scalar', 'avx2', 'avx512']) {
  test(`cpu/${isa}`, async (t) => {
    const { code, stderr, results } = await checkGoldens('cpu', { DEBERTA_CPU_ISA: isa })
    if (code !== 0 && /DEBERTA_ERR_BACKEND_UNAVAILABLE/.test(stderr))
      return t.skip(`this machine has no ${isa}`)
    assert.equal(code, 0, stderr)
    assertComplete(results, isa)
  })
}
