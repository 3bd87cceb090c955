// Runs the doctest executables of test/native. Those that compute in float32 run once for each instruction set of this machine
// that has float32 kernels of its own, and for the one that a user gets; the other formats are in backend_cpu.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { globSync } from '../support/glob.mjs'

const build = new URL('../../build/', import.meta.url)
const rooms = [
  'base',
  'io',
  'tokenizer',
  'ops',
  'backends',
  'backend_cpu',
  'model',
  'addon',
  'cuda_emulation',
]
const computing = new Set(['ops', 'backends', 'model'])

function executable(room) {
  const name = process.platform === 'win32' ? `deberta_test_${room}.exe` : `deberta_test_${room}`
  return globSync(build, name).find((file) => basename(file) === name)
}

function run(file, isa) {
  const env = isa ? { ...process.env, DEBERTA_CPU_ISA: isa } : process.env
  const result = spawnSync(file, [], { cwd: dirname(file), env, encoding: 'utf8', maxBuffer: 1 << 28 })
  assert.equal(
    result.status,
    0,
    `${file} ${isa ?? ''}\n${result.stdout.slice(-8000)}\n${result.stderr.slice(-4000)}`,
  )
}

const float32Sets = new Set(['scalar', 'avx2', 'avx512'])

/** The instruction sets to run, from the test executable that knows what this machine has, best first. */
function instructionSets() {
  const file = executable('ops')
  const result = spawnSync(file, ['--list-isas'], { encoding: 'utf8' })
  assert.equal(result.status, 0, result.stderr)
  return result.stdout
    .trim()
    .split(/\s+/)
    .filter((isa, i) => i === 0 || float32Sets.has(isa))
}

test('the native build is there', () => {
  assert.ok(existsSync(fileURLToPath(build)), 'run npm run build')
  for (const room of rooms) assert.ok(executable(room), `deberta_test_${room} was not built`)
})

for (const room of rooms) {
  if (!computing.has(room)) {
    test(`native ${room}`, () => run(executable(room)))
    continue
  }
  for (const isa of instructionSets()) test(`native ${room}, ${isa}`, () => run(executable(room), isa))
}
