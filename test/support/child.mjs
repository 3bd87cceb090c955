// Child processes of tests.
import { spawn } from 'node:child_process'
import { root } from './paths.mjs'

/** Runs node; resolves with { code, signal, stdout, stderr }. `input` goes to stdin, which is closed. */
export function runNode(args, { input = '', env = {}, onStart } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
    child.stdin.on('error', () => {}) // the child may end before it has read everything
    if (input !== null) child.stdin.end(input)
    onStart?.(child)
  })
}
