// Holds every model of test/fixtures/models to its goldens through the public API, on one device:
//   node test/support/check-goldens.mjs cpu
// Prints what ran ("avx2") and, per model, the tensors that were compared. Fails with the first that is out of bounds.
import { readdirSync } from 'node:fs'
import { loadModel } from 'deberta'
import { assertClose, cutMap, packRows, readGolden } from './golden.mjs'
import { model as fixture, fixtures } from './paths.mjs'

const device = process.argv[2]

/** Hidden states, attention maps and logits of one model, whatever of them the golden has. */
async function checkModel(name) {
  const { tensors, errors, lengths, sequences, positions } = readGolden(name)
  const model = await loadModel(fixture(name), { device, dtype: 'float32' })
  const compared = []
  const check = (key, actual, golden) => {
    assertClose(actual, golden, errors[key], `${name} ${key}`)
    compared.push(key)
  }
  const hasLogits = model.info.task !== 'encoder'
  const masked = model.info.task === 'masked-lm'
  const { logits, hiddenStates, lastHiddenState, attentions } = await model.forward(sequences, {
    outputs: ['lastHiddenState', 'hiddenStates', 'attentions', ...(hasLogits ? ['logits'] : [])],
    ...(masked && { positions, decoder: 'plain' }),
    ...(model.info.task === 'multiple-choice' && { choices: 2 }),
  })
  for (const [key, golden] of Object.entries(tensors)) {
    const [kind, layer] = key.split('.')
    if (kind === 'hidden_states') check(key, hiddenStates[Number(layer)].data, packRows(golden, lengths))
    if (kind === 'last_hidden_state') check(key, lastHiddenState.data, packRows(golden, lengths))
    if (kind === 'attentions')
      for (const [s, length] of lengths.entries())
        check(key, attentions[Number(layer)][s].data, cutMap(golden, s, length))
    if (kind === 'start_logits' || kind === 'end_logits') {
      const column = kind === 'start_logits' ? 0 : 1
      check(
        key,
        logits.data.filter((_, i) => i % 2 === column),
        packRows(golden, lengths),
      )
    }
    if (kind === 'logits') check(key, logits.data, goldenLogits(model.info.task, golden, lengths, positions))
    if (kind === 'emd_logits') {
      const emd = await model.forward(sequences, { positions, decoder: 'emd' })
      check(key, emd.logits.data, goldenLogits('masked-lm', golden, lengths, positions))
    }
  }
  const { detail } = model.info
  model.dispose()
  return { detail, compared: [...new Set(compared)] }
}

/** Per sequence as they are; per token packed; of a masked LM the rows of `positions`. */
function goldenLogits(task, golden, lengths, positions) {
  if (task === 'masked-lm')
    return packRows(
      golden,
      positions.map((each) => each.length),
    )
  return task === 'token-classification' || task === 'replaced-token-detection'
    ? packRows(golden, lengths)
    : golden.data
}

const results = {}
for (const name of readdirSync(`${fixtures}/models`)) results[name] = await checkModel(name)
process.stdout.write(JSON.stringify(results))
