// What is timed: batches of token ids, by name. Lengths of the ragged batch are drawn once from a log-normal distribution
// (median 24 tokens, sigma 0.8, at least 4, at most 256), a fair picture of messages and sentences.

function xorshift(seed) {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

function raggedLengths(count) {
  const random = xorshift(77)
  return Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
    return Math.max(4, Math.min(256, Math.round(24 * Math.exp(0.8 * normal))))
  })
}

const repeat = (count, n) => Array.from({ length: count }, () => n)

const lengthsOf = {
  '1x16': [16],
  '1x64': [64],
  '1x128': [128],
  '1x512': [512],
  '8x128': repeat(8, 128),
  '32x128': repeat(32, 128),
  'ragged-32': raggedLengths(32),
  '128x128': repeat(128, 128),
  '32x512': repeat(32, 512),
  '16x1024': repeat(16, 1024),
  '4x4096': repeat(4, 4096),
  '2x8192': repeat(2, 8192),
  '1x2048': [2048],
  '1x8192': [8192],
  '1x32768': [32768],
}

export const workloadNames = Object.keys(lengthsOf)

/** `{ name, lengths, sequences: number[][] }`; ids between [CLS] and [SEP] are uniform over the vocabulary. */
export function makeWorkload(name, vocabSize) {
  const lengths = lengthsOf[name]
  if (!lengths) throw new Error(`unknown workload ${name}; one of ${workloadNames.join(', ')}`)
  const random = xorshift(4242)
  const sequences = lengths.map((n) => [
    1,
    ...Array.from({ length: n - 2 }, () => 4 + Math.floor(random() * (vocabSize - 8))),
    2,
  ])
  return { name, lengths, sequences }
}
