// Resident memory of whole processes: what a long input adds and leaves behind, what a second instance adds, and the peak beside
// ONNX Runtime's. Sizes are of the process, Node included, in MB (10^6 bytes).
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { onnxFloat32Driver } from '../peers.mjs'
import { makeWorkload } from '../workloads.mjs'
import { OwnProcess } from './own-process.mjs'

const megabytes = (bytes) => bytes / 1e6
const inMegabytes = (value) => `${value.toFixed(0)} MB`

/** Peak with 8192 tokens less the peak with 16: all weights are packed by then, so this is what the input needs. */
export async function longInput({ checkpoint, config, threads }) {
  const own = new OwnProcess(config.vocab_size)
  await own.load(checkpoint, threads)
  const before = await own.run('1x16')
  await own.run('1x8192')
  const { rssPeak } = await own.run('1x8192')
  // Long enough for the model to forget what only a long request needed.
  let after = before
  for (let i = 0; i < 130; i++) after = await own.run('1x16')
  own.close()
  return [
    {
      what: '1x8192: peak memory beyond that at 1x16',
      value: megabytes(rssPeak - before.rssPeak),
      show: inMegabytes,
      most: 400,
    },
    {
      what: '… of which 130 short requests later a server still holds',
      value: megabytes(after.rss - before.rss),
      show: inMegabytes,
    },
  ]
}

/** A folder with the weights, and with v3's vocabulary where there is one: a tokenizer is part of an instance. */
function withVocabulary(checkpoint, vocabulary, cache) {
  if (!vocabulary) return checkpoint
  const folder = join(cache, 'with-vocabulary')
  mkdirSync(folder, { recursive: true })
  const files = ['config.json', 'model.safetensors'].map((name) => [name, join(checkpoint, name)])
  for (const [name, target] of [...files, ['spm.model', join(vocabulary, 'spm.model')]]) {
    if (!existsSync(join(folder, name))) symlinkSync(target, join(folder, name))
  }
  return folder
}

export async function secondInstance({ checkpoint, config, threads, vocabulary, cache }) {
  const own = new OwnProcess(config.vocab_size)
  const folder = withVocabulary(checkpoint, vocabulary, cache)
  await own.load(folder, threads)
  const first = await own.run('1x16')
  await own.load(folder, threads)
  const second = await own.run('1x16')
  own.close()
  return [
    {
      what: `second instance of a checkpoint${vocabulary ? ', tokenizer included' : ''}, after a run of 1x16`,
      value: megabytes(second.rss - first.rss),
      show: inMegabytes,
      most: 20,
    },
  ]
}

export async function besideOnnxRuntime({ checkpoint, config, threads, model, cache }) {
  const what = '32x128: peak memory relative to ONNX Runtime, float32'
  const peer = onnxFloat32Driver({ model, cache, threads })
  if (!peer)
    return [{ what, missing: 'ONNX Runtime or Python is not installed (bench/README.md)', most: 0.7 }]
  const own = new OwnProcess(config.vocab_size)
  await own.load(checkpoint, threads)
  await peer.driver.ask({ load: peer.load })
  const { sequences } = makeWorkload('32x128', config.vocab_size)
  let ours = 0
  let theirs = 0
  for (let round = 0; round < 2; round++) {
    ours = (await own.run('32x128')).rssPeak
    theirs = (await peer.driver.ask({ run: { sequences } })).rssPeak
  }
  own.close()
  peer.driver.close()
  const show = (value) =>
    `${value.toFixed(2)}× (${inMegabytes(megabytes(ours))} to ${inMegabytes(megabytes(theirs))})`
  return [{ what, value: ours / theirs, show, most: 0.7 }]
}
