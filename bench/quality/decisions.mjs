// A model's decisions, one row of logits each, and how two sets of rows differ.

/** Rows `[decisions][choices]` of a classifier or a masked LM over these texts. */
export async function decisionRows(model, texts) {
  const sequences =
    model.info.task === 'masked-lm'
      ? maskedSequences(model, texts)
      : texts.map((text) => model.tokenizer.encode(text))
  const { data, dims } = (await model.forward(sequences)).logits
  const width = dims[1]
  return Array.from({ length: dims[0] }, (_, row) => data.subarray(row * width, (row + 1) * width))
}

/** One sequence for every seventh token, which is masked. */
function maskedSequences({ tokenizer }, texts) {
  const sequences = []
  for (const text of texts) {
    const { inputIds } = tokenizer.encode(text)
    for (let at = 3; at < inputIds.length - 1; at += 7) {
      const copy = Int32Array.from(inputIds)
      copy[at] = tokenizer.specialTokens.mask
      sequences.push({ inputIds: copy })
    }
  }
  return sequences
}

function argmax(row) {
  let best = 0
  for (let i = 1; i < row.length; i++) if (row[i] > row[best]) best = i
  return best
}

/**
 * How `rows` differ from `reference`: decisions that change, how many different ones the reference has (one: changes say
 * nothing), and the error of the logits relative to their root mean square.
 */
export function compareRows(rows, reference) {
  const choices = new Set()
  let flips = 0
  let largest = 0
  let errors = 0
  let squaredErrors = 0
  let squares = 0
  for (const [r, expected] of reference.entries()) {
    const choice = argmax(expected)
    choices.add(choice)
    if (argmax(rows[r]) !== choice) flips++
    for (let i = 0; i < expected.length; i++) {
      const error = Math.abs(rows[r][i] - expected[i])
      largest = Math.max(largest, error)
      errors += error
      squaredErrors += error ** 2
      squares += expected[i] ** 2
    }
  }
  const count = reference.length * reference[0].length
  const spread = Math.sqrt(squares / count)
  return {
    decisions: reference.length,
    choices: choices.size,
    flips,
    maxError: largest / spread,
    meanError: errors / count / spread,
    rmsError: Math.sqrt(squaredErrors / squares),
  }
}
