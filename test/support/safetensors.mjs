// Reads a safetensors file of F32 and I32 tensors: { name: { data, dims } }.
import { readFileSync } from 'node:fs'

const arrays = { F32: Float32Array, I32: Int32Array }

export function readSafetensors(file) {
  const bytes = readFileSync(file)
  const headerLength = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerLength))
  const tensors = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const [begin, end] = entry.data_offsets
    const copy = bytes.buffer.slice(
      bytes.byteOffset + 8 + headerLength + begin,
      bytes.byteOffset + 8 + headerLength + end,
    )
    tensors[name] = { data: new arrays[entry.dtype](copy), dims: entry.shape }
  }
  return tensors
}
