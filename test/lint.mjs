// Formats and lints: biome over TypeScript and scripts, clang-format over C++ and CUDA. `--fix` writes.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { globSync } from './support/glob.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const fix = process.argv.includes('--fix')
const require = createRequire(import.meta.url)
let failed = false

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (result.status !== 0) failed = true
}

const biome = join(require.resolve('@biomejs/biome/package.json'), '..', 'bin', 'biome')
run(process.execPath, [biome, 'check', ...(fix ? ['--write'] : []), '--error-on-warnings'])

const clangFormat = ['clang-format-19', 'clang-format'].find((name) => {
  const version = spawnSync(name, ['--version'], { encoding: 'utf8' })
  return version.status === 0 && /version 19\./.test(version.stdout)
})
const suffixes = ['.h', '.cpp', '.cu', '.cuh']
const files = ['native/', 'test/native/', 'bench/'].flatMap((folder) =>
  suffixes.flatMap((suffix) => globSync(new URL(`../${folder}`, import.meta.url), suffix)),
)
const own = files.filter((file) => !/third_party|node_modules/.test(file))
if (clangFormat) run(clangFormat, fix ? ['-i', ...own] : ['--dry-run', '--Werror', ...own])
else {
  process.stderr.write('clang-format 19 was not found: C++ and CUDA sources were not checked\n')
  if (process.env.CI) failed = true
}
process.exit(failed ? 1 : 0)
