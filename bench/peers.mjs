// The libraries that this package is measured against, where they are installed (bench/peers): ONNX Runtime on an export of the
// checkpoint, PyTorch on the checkpoint itself. Settings: `{ model, cache, threads, device }`.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeCheckpoint } from './checkpoint.mjs'
import { Driver } from './drivers/protocol.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))

function findPython() {
  const candidates = [process.env.DEBERTA_BENCH_PYTHON, join(here, 'peers/.venv/bin/python')].filter(Boolean)
  return candidates.find((path) => existsSync(path))
}

function exportOnnx(interpreter, checkpoint, { model, cache }) {
  const out = join(cache, `${model}-onnx`)
  if (existsSync(join(out, 'model_int8.onnx'))) return out
  const run = spawnSync(interpreter, [join(here, 'peers/export_onnx.py'), checkpoint, out], {
    stdio: ['ignore', 2, 2],
  })
  if (run.status !== 0) throw new Error('the ONNX export failed')
  return out
}

function onnxDrivers(interpreter, checkpoint, settings) {
  if (!existsSync(join(here, 'peers/node_modules/onnxruntime-node'))) {
    process.stderr.write('bench/peers: onnxruntime-node is not installed, left out\n')
    return []
  }
  const onnx = exportOnnx(interpreter, checkpoint, settings)
  const formats = [
    ['float32', 'model.onnx', 1e-3],
    ['int8', 'model_int8.onnx', Infinity],
  ]
  return formats.map(([dtype, file, bar]) => {
    const driver = new Driver(`onnxruntime ${dtype}`, process.execPath, [
      join(here, 'drivers/onnxruntime.mjs'),
    ])
    return { driver, load: { onnx: join(onnx, file), threads: settings.threads }, bar }
  })
}

/** PyTorch: on a GPU everything in bfloat16, and FlashDeBERTa where it is installed. */
function torchDrivers(interpreter, checkpoint, { threads, device }) {
  const onGpu = device !== 'cpu'
  const modes = onGpu ? ['bfloat16', 'compile-bfloat16', 'flash-bfloat16'] : ['eager', 'bfloat16', 'compile']
  const hasFlash = onGpu && spawnSync(interpreter, ['-c', 'import flashdeberta']).status === 0
  return modes
    .filter((mode) => hasFlash || !mode.startsWith('flash'))
    .map((mode) => {
      const driver = new Driver(`pytorch ${mode}`, interpreter, [join(here, 'peers/pytorch_driver.py')])
      const load = { checkpoint, mode, threads, device }
      return { driver, load, bar: mode.includes('bfloat16') ? 0.2 : 1e-3 }
    })
}

/** `{ driver, load, bar }` of every peer: a process, what to send it first, how far its logits may be off. */
export function peerDrivers(settings) {
  const interpreter = findPython()
  if (!interpreter) throw new Error('--peers needs Python: see bench/README.md (DEBERTA_BENCH_PYTHON)')
  const checkpoint = makeCheckpoint(settings.model, 'float32', settings.cache)
  const onnx = settings.device === 'cpu' ? onnxDrivers(interpreter, checkpoint, settings) : []
  return [...onnx, ...torchDrivers(interpreter, checkpoint, settings)]
}

/** ONNX Runtime in float32 alone, or undefined where it or Python is missing. */
export function onnxFloat32Driver(settings) {
  const interpreter = findPython()
  if (!interpreter) return undefined
  const checkpoint = makeCheckpoint(settings.model, 'float32', settings.cache)
  const [wanted, ...others] = onnxDrivers(interpreter, checkpoint, settings)
  for (const { driver } of others) driver.close()
  return wanted
}
