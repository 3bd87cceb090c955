// Copies of a checkpoint with outlier channels, which random or well-behaved small models lack and real ones have.
//   exact: a value row × 64 and its output column ÷ 64; a query row × 64 and the key row ÷ 64 (with shared projections the
//          position rows follow): the same function, hostile to quantization. One row of each kind per head.
//   gains: three LayerNorm gains × 16 after attention and after the layer, the columns of the weights that read them ÷ 16.
//          The residual stream keeps the large channels: another function, to be compared with its own float32.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

function floatOfHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const mantissa = bits & 0x3ff
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + mantissa / 1024) : 2 ** -14 * (mantissa / 1024))
}

/** Every tensor of a float16 or float32 safetensors file as float32. */
function readTensors(file) {
  const bytes = readFileSync(file)
  const headerLength = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength))
  const tensors = new Map()
  for (const [name, { dtype, shape, data_offsets: at }] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const data = bytes.subarray(8 + headerLength + at[0], 8 + headerLength + at[1])
    const copy = data.buffer.slice(data.byteOffset, data.byteOffset + data.length)
    const values =
      dtype === 'F16' ? Float32Array.from(new Uint16Array(copy), floatOfHalf) : new Float32Array(copy)
    tensors.set(name, { values, shape })
  }
  return tensors
}

function writeTensors(file, tensors) {
  const header = {}
  let offset = 0
  for (const [name, { values, shape }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] }
    offset += values.byteLength
  }
  let json = JSON.stringify(header)
  json += ' '.repeat((8 - (json.length % 8)) % 8)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  const parts = [...tensors.values()].map(({ values }) =>
    Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  )
  writeFileSync(file, Buffer.concat([length, Buffer.from(json), ...parts]))
}

function scaleRow({ values, shape }, row, factor) {
  const width = shape[1] ?? 1
  for (let i = 0; i < width; i++) values[row * width + i] *= factor
}

function scaleColumn({ values, shape }, column, factor) {
  for (let row = 0; row < shape[0]; row++) values[row * shape[1] + column] *= factor
}

function scaleLinearRow(tensors, name, row, factor) {
  scaleRow(tensors.get(`${name}.weight`), row, factor)
  scaleRow(tensors.get(`${name}.bias`), row, factor)
}

function addExactOutliers(tensors, config) {
  const size = config.hidden_size / config.num_attention_heads
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `deberta.encoder.layer.${layer}.attention`
    for (let head = 0; head < config.num_attention_heads; head++) {
      const row = head * size + ((7 * layer + 5) % size)
      scaleLinearRow(tensors, `${at}.self.value_proj`, row, 64)
      scaleColumn(tensors.get(`${at}.output.dense.weight`), row, 1 / 64)
      scaleLinearRow(tensors, `${at}.self.query_proj`, row, 64)
      scaleLinearRow(tensors, `${at}.self.key_proj`, row, 1 / 64)
    }
  }
}

function scaleGain(tensors, norm, readers, channel) {
  tensors.get(`${norm}.weight`).values[channel] *= 16
  for (const reader of readers) scaleColumn(tensors.get(`${reader}.weight`), channel, 1 / 16)
}

function addLargeGains(tensors, config) {
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `deberta.encoder.layer.${layer}`
    const next = `deberta.encoder.layer.${layer + 1}.attention.self`
    const last = layer + 1 === config.num_hidden_layers
    for (const channel of [11, 77, 140]) {
      scaleGain(tensors, `${at}.attention.output.LayerNorm`, [`${at}.intermediate.dense`], channel)
      if (last) continue // what reads the last layer is the head
      scaleGain(
        tensors,
        `${at}.output.LayerNorm`,
        [`${next}.query_proj`, `${next}.key_proj`, `${next}.value_proj`],
        channel,
      )
    }
  }
}

/** Writes the copy `kind` ("exact", "gains") of a bundled model into `cache`; returns its folder. */
export function makeOutlierCopy(source, kind, cache) {
  const folder = join(cache, `${source.split('/').at(-1)}-${kind}`)
  if (existsSync(join(folder, 'model.safetensors'))) return folder
  mkdirSync(folder, { recursive: true })
  for (const file of ['config.json', 'spm.model', 'tokenizer_config.json'])
    cpSync(join(source, file), join(folder, file))
  const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8'))
  const tensors = readTensors(join(source, 'model.safetensors'))
  if (kind === 'exact') addExactOutliers(tensors, config)
  else addLargeGains(tensors, config)
  writeTensors(join(folder, 'model.safetensors'), tensors)
  return folder
}
