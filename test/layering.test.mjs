// Imports run one way only (docs/architecture.md). Reads every #include "…" and import line and holds it to the table.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { globSync } from './support/glob.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Which rooms of native/ a room may include, itself aside. */
const nativeRooms = {
  base: [],
  io: ['base'],
  tokenizer: ['io', 'base'],
  ops: ['base'],
  'backends/reference': ['ops', 'base'],
  'backends/cpu': ['backends/cpu/isa', 'ops', 'base'],
  'backends/cpu/isa': ['ops'],
  'backends/cuda': ['ops', 'base'],
  backends: ['backends/reference', 'backends/cpu', 'backends/cuda', 'ops', 'base'],
  model: ['ops', 'io', 'base'],
  addon: ['model', 'tokenizer', 'backends', 'ops', 'io', 'base'],
}

/** Which rooms of lib/ a room may import, itself aside. The files at the top of lib/ are rooms of their own. */
const libRooms = {
  cli: ['pipelines', 'index', 'model', 'tokenizer', 'errors', 'options', 'tensor', 'devices', 'types'],
  pipelines: ['model', 'tokenizer', 'dispose', 'errors', 'options', 'tensor', 'types'],
  index: ['pipelines', 'model', 'tokenizer', 'errors', 'options', 'tensor', 'devices', 'types'],
  model: ['tokenizer', 'binding', 'dispose', 'errors', 'options', 'tensor', 'types'],
  tokenizer: ['binding', 'dispose', 'errors', 'options', 'types'],
  devices: ['binding', 'errors', 'types'],
  binding: ['errors', 'types'],
  options: ['errors', 'types'],
  tensor: ['errors'],
  types: ['tensor'],
  dispose: [],
  errors: [],
}

function roomOf(path, rooms) {
  const folder = dirname(path).split('\\').join('/')
  const known = Object.keys(rooms).sort((a, b) => b.length - a.length)
  return known.find((room) => folder === room || folder.startsWith(`${room}/`))
}

const sources = ['.h', '.cpp', '.cu', '.cuh', '.def'].flatMap((suffix) =>
  globSync(new URL('../native/', import.meta.url), suffix),
)

test('native/: includes follow the table of rooms', () => {
  const wrong = []
  for (const file of sources) {
    const path = relative(join(root, 'native'), file)
    const room = roomOf(path, nativeRooms)
    if (!room) {
      wrong.push(`native/${path}: in no room`)
      continue
    }
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/^\s*#\s*include\s+"([^"]+)"/gm)) {
      const targetRoom = roomOf(target, nativeRooms)
      if (targetRoom === undefined) wrong.push(`native/${path}: "${target}" is not a path from native/`)
      else if (targetRoom !== room && !nativeRooms[room].includes(targetRoom))
        wrong.push(`native/${path} includes ${target}`)
    }
  }
  assert.deepEqual(wrong, [])
  assert.ok(sources.length > 20)
})

test('native/backends/cpu/isa: no STL, only C headers and intrinsics', () => {
  const wrong = []
  for (const file of sources.filter((name) => name.includes(join('cpu', 'isa', '/')))) {
    for (const [, target] of readFileSync(file, 'utf8').matchAll(/^\s*#\s*include\s+<([^>]+)>/gm)) {
      if (!['stddef.h', 'stdint.h', 'immintrin.h', 'math.h', 'string.h'].includes(target))
        wrong.push(`${file}: <${target}>`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('native/model sees no backend', () => {
  for (const file of sources.filter((name) => name.includes(join('native', 'model')))) {
    assert.doesNotMatch(readFileSync(file, 'utf8'), /#\s*include\s+"backends\//, file)
  }
})

function libRoom(path) {
  const [first, second] = path.split(/[\\/]/)
  return second === undefined ? first.replace(/\.m?ts$/, '') : first
}

test('lib/: imports follow the table of rooms, and only binding touches the addon', () => {
  const files = [
    ...globSync(new URL('../lib/', import.meta.url), '.ts'),
    ...globSync(new URL('../lib/', import.meta.url), '.mts'),
  ]
  const wrong = []
  for (const file of files) {
    const path = relative(join(root, 'lib'), file)
    const room = libRoom(path)
    const text = readFileSync(file, 'utf8')
    for (const [, target] of text.matchAll(/(?:from|import|require\()\s*'(\.[^']+)'/g)) {
      const resolved = resolve(dirname(file), target)
      if (resolved === join(root, 'package.json')) continue
      if (resolved === join(root, 'binding')) {
        if (room !== 'binding' && room !== 'types') wrong.push(`lib/${path} imports the addon's typings`)
        continue
      }
      const targetRoom = libRoom(relative(join(root, 'lib'), resolved).replace(/\.m?js$/, ''))
      if (targetRoom !== room && !libRooms[room]?.includes(targetRoom))
        wrong.push(`lib/${path} imports ${target}`)
    }
    if (room !== 'binding' && /node-gyp-build|\.node['"]/.test(text))
      wrong.push(`lib/${path} loads the addon`)
  }
  assert.deepEqual(wrong, [])
  assert.ok(files.length > 5)
})
