// `npm run test:cuda`: builds the CUDA backend for the GPU of this machine and checks it there. Without one it says so.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('native/cuda/check.sh', import.meta.url))
const run = spawnSync('sh', [script, ...process.argv.slice(2)], { stdio: 'inherit' })
const skipped = 77
process.exit(run.status === skipped ? 0 : (run.status ?? 1))
