// The machine code of the sm_90a kernels: warpgroup matrix instructions in every one, no local memory in any. Needs a build
// with CUDA (DEBERTA_CUDA=ON) and cuobjdump: on the PATH, in CUDA_HOME, or named by DEBERTA_CUOBJDUMP.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import test from 'node:test'
import { globSync } from './support/glob.mjs'

const builds = [new URL('../build/', import.meta.url), new URL('../build-cuda/', import.meta.url)]

function findCuobjdump() {
  const home = process.env.CUDA_HOME ?? '/usr/local/cuda'
  const names = [process.env.DEBERTA_CUOBJDUMP, 'cuobjdump', `${home}/bin/cuobjdump`]
  return names.find((name) => name && spawnSync(name, ['--version']).status === 0)
}

function findObject(name) {
  const given = process.env.DEBERTA_CUDA_BUILD
  const folders = given ? [new URL(`file://${given}/`)] : builds.filter((folder) => existsSync(folder))
  return folders.flatMap((folder) => globSync(folder, name)).find((file) => basename(file) === name)
}

/** The instructions of every kernel in an object file, by the kernel's name. */
function kernels(cuobjdump, object) {
  const dump = spawnSync(cuobjdump, ['--dump-sass', object], { encoding: 'utf8', maxBuffer: 1 << 30 })
  assert.equal(dump.status, 0, dump.stderr)
  const [, ...functions] = dump.stdout.split(/^\s*Function : /m)
  return functions.map((text) => ({ name: text.slice(0, text.indexOf('\n')), text }))
}

for (const source of ['attention_warpgroup', 'gemm_warpgroup']) {
  test(`sm_90a code of ${source}: HGMMA, no LDL or STL`, (context) => {
    const cuobjdump = findCuobjdump()
    if (!cuobjdump) return context.skip('cuobjdump was not found')
    const object = findObject(`${source}.cu.o`)
    if (!object) return context.skip('no build with CUDA for sm_90a')
    const found = kernels(cuobjdump, object)
    assert.ok(found.length >= 6, `${found.length} kernels`)
    for (const { name, text } of found) {
      assert.match(text, /\bHGMMA\b/, name)
      assert.doesNotMatch(text, /\b(LDL|STL)\b/, name)
    }
  })
}
