// Writes a checkpoint of a published shape with seeded random weights, as float32 and as float16 files of equal values:
// every weight is k / 2^15 with |k| < 1024, which both can represent. Nothing is downloaded.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { shapes } from './shapes.mjs'

const CHUNK = 1 << 22

/** The tensors of a sequence classifier of this configuration: [name, shape, kind]. */
function tensorsOf(config) {
  const h = config.hidden_size
  const f = config.intermediate_size
  const labels = Object.keys(config.id2label).length
  const span = config.position_buckets > 0 ? config.position_buckets : config.max_position_embeddings
  const list = []
  const linear = (name, out, inputs, bias = true) => {
    list.push([`${name}.weight`, [out, inputs], 'weight'])
    if (bias) list.push([`${name}.bias`, [out], 'bias'])
  }
  const norm = (name) => list.push([`${name}.weight`, [h], 'gain'], [`${name}.bias`, [h], 'bias'])

  list.push(['deberta.embeddings.word_embeddings.weight', [config.vocab_size, h], 'weight'])
  norm('deberta.embeddings.LayerNorm')
  list.push(['deberta.encoder.rel_embeddings.weight', [2 * span, h], 'weight'])
  if (config.norm_rel_ebd.includes('layer_norm')) norm('deberta.encoder.LayerNorm')
  if (config.conv_kernel_size > 0) {
    list.push(['deberta.encoder.conv.conv.weight', [h, h, config.conv_kernel_size], 'weight'])
    list.push(['deberta.encoder.conv.conv.bias', [h], 'bias'])
    norm('deberta.encoder.conv.LayerNorm')
  }
  for (let layer = 0; layer < config.num_hidden_layers; layer++) {
    const at = `deberta.encoder.layer.${layer}`
    attention(list, linear, config, `${at}.attention.self`)
    linear(`${at}.attention.output.dense`, h, h)
    norm(`${at}.attention.output.LayerNorm`)
    linear(`${at}.intermediate.dense`, f, h)
    linear(`${at}.output.dense`, h, f)
    norm(`${at}.output.LayerNorm`)
  }
  linear('pooler.dense', h, h)
  linear('classifier', labels, h)
  return list
}

function attention(list, linear, config, at) {
  const h = config.hidden_size
  if (config.model_type === 'deberta') {
    linear(`${at}.in_proj`, 3 * h, h, false)
    list.push([`${at}.q_bias`, [h], 'bias'], [`${at}.v_bias`, [h], 'bias'])
    linear(`${at}.pos_proj`, h, h, false)
    linear(`${at}.pos_q_proj`, h, h)
    return
  }
  for (const name of ['query_proj', 'key_proj', 'value_proj']) linear(`${at}.${name}`, h, h)
}

function generator(seed) {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % 2047
  }
}

const halfBits = new Uint16Array(2047)
const floats = new Float32Array(2047)
for (let code = 0; code < 2047; code++) {
  const k = code - 1023
  floats[code] = k / 32768
  halfBits[code] = half(Math.abs(k)) | (k < 0 ? 0x8000 : 0)
}

/** The float16 bits of k / 2^15, 0 <= k < 1024. */
function half(k) {
  if (k === 0) return 0
  const log = Math.floor(Math.log2(k))
  const exponent = log - 15
  return ((exponent + 15) << 10) | ((k << (10 - log)) & 0x3ff) || halfSubnormal(k)
}

/** k = 1: exponent -15 is below float16's normal range (2^-14). */
function halfSubnormal(k) {
  return k << 9
}

function fill(target, kind, next, storage) {
  const table = storage === 'float16' ? halfBits : floats
  const one = storage === 'float16' ? 0x3c00 : 1
  for (let i = 0; i < target.length; i++) target[i] = kind === 'gain' ? one : table[next()]
}

/** The folder of the checkpoint, written if it is not there yet: `<cache>/<shape>-<storage>`. */
export function makeCheckpoint(shape, storage, cache) {
  const config = shapes[shape]
  const folder = join(cache, `${shape}-${storage}`)
  const file = join(folder, 'model.safetensors')
  if (existsSync(file)) return folder
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, dtype: storage }, null, 2))

  const size = storage === 'float16' ? 2 : 4
  const header = {}
  let offset = 0
  const tensors = tensorsOf(config)
  for (const [name, dims] of tensors) {
    const bytes = dims.reduce((product, n) => product * n, size)
    header[name] = {
      dtype: storage === 'float16' ? 'F16' : 'F32',
      shape: dims,
      data_offsets: [offset, offset + bytes],
    }
    offset += bytes
  }
  let json = JSON.stringify(header)
  json += ' '.repeat((8 - (json.length % 8)) % 8)
  const out = openSync(`${file}.part`, 'w')
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  writeSync(out, length)
  writeSync(out, json)
  const next = generator(20260 + shape.length)
  const Chunk = storage === 'float16' ? Uint16Array : Float32Array
  for (const [, dims, kind] of tensors) {
    const count = dims.reduce((product, n) => product * n, 1)
    for (let done = 0; done < count; done += CHUNK) {
      const chunk = new Chunk(Math.min(CHUNK, count - done))
      fill(chunk, kind, next, storage)
      writeSync(out, chunk)
    }
  }
  closeSync(out)
  renameSync(`${file}.part`, file)
  return folder
}
