// Loading the addon, what is said when it does not load, and jobs under a signal.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import test from 'node:test'
import { runNode } from '../support/child.mjs'

const require = createRequire(import.meta.url)
const { loadFailure, native, runJob } = require('../../dist/binding.js')

const loading =
  "require('deberta').listDevices().catch((e) => { console.log(e.code); console.log(e.message) })"

test('advice follows the symptom', () => {
  const cases = [
    [{ message: "/lib/libc.so.6: version `GLIBC_2.34' not found" }, /older than the prebuilt addon/],
    [{ message: 'Error loading shared library ld-linux-x86-64.so.2: No such file' }, /musl system/],
    [{ message: 'Error relocating deberta.node: fcntl64: symbol not found' }, /musl system/],
    [{ message: 'No native build was found for platform=win32' }, /npm explore deberta -- npm run build/],
    [{ message: 'x', code: 'ERR_DLOPEN_DISABLED' }, /--allow-addons/],
    [{ message: 'wrong ELF class' }, /reinstall the package/],
  ]
  for (const [{ message, code }, advice] of cases) {
    const text = loadFailure(Object.assign(new Error(message), { code }))
    assert.match(text, advice)
    assert.ok(text.includes(message))
    assert.match(text, new RegExp(`${process.platform}-${process.arch}, Node ${process.versions.node}`))
  }
})

test('DEBERTA_BINDING names the file to load; a wrong one is an error that says so', async () => {
  const { stdout, code } = await runNode(['-e', loading], { env: { DEBERTA_BINDING: '/nonexistent/x.node' } })
  assert.equal(code, 0)
  assert.match(stdout, /^DEBERTA_ERR_BACKEND_UNAVAILABLE\n/)
  assert.match(stdout, /DEBERTA_BINDING is '\/nonexistent\/x.node'/)
})

test('--no-addons gives an error with advice, not a crash', async () => {
  const { stdout, code } = await runNode(['--no-addons', '-e', loading])
  assert.equal(code, 0)
  assert.match(stdout, /^DEBERTA_ERR_BACKEND_UNAVAILABLE\n/)
  assert.match(stdout, /remove --no-addons/)
})

test('importing the package does not load the addon', async () => {
  const { code, stderr } = await runNode(['--no-addons', '-e', "require('deberta').Tensor"])
  assert.equal(code, 0, stderr)
})

test('a signal that is aborted already starts nothing', async () => {
  const reason = new Error('before')
  let started = false
  const start = () => {
    started = true
  }
  await assert.rejects(runJob(start, AbortSignal.abort(reason)), (error) => error === reason)
  assert.equal(started, false)
})

test('listeners on the signal are removed when the job ends', async () => {
  const { signal } = new AbortController()
  let listeners = 0
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  signal.addEventListener = (...args) => {
    listeners++
    add(...args)
  }
  signal.removeEventListener = (...args) => {
    listeners--
    remove(...args)
  }
  assert.ok((await runJob(() => native().listDevices(), signal)).length > 0)
  await assert.rejects(runJob(() => native().loadTokenizer('/nonexistent'), signal))
  assert.equal(listeners, 0)
})

test('an abort wins over a result that was not delivered yet', async () => {
  const controller = new AbortController()
  const reason = new Error('late')
  const running = runJob(() => native().listDevices(), controller.signal)
  queueMicrotask(() => controller.abort(reason))
  await assert.rejects(running, (error) => error === reason)
})
