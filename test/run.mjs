// Runs every test: one `node --test` over all *.test.mjs, one file at a time because several measure time.
//   node test/run.mjs [part of a path …]   only the files whose path holds one of the parts
import { spawnSync } from 'node:child_process'
import { globSync } from './support/glob.mjs'

const root = new URL('..', import.meta.url)
const parts = process.argv.slice(2)
const files = globSync(new URL('test/', root), '.test.mjs').filter(
  (file) => parts.length === 0 || parts.some((part) => file.includes(part)),
)
if (files.length === 0) {
  process.stderr.write(`no test file matches ${parts.join(' ')}\n`)
  process.exit(1)
}
const run = spawnSync(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-reporter=spec', ...files],
  { cwd: root, stdio: 'inherit' },
)
process.exit(run.status ?? 1)
