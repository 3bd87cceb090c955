// One measured library = one child process that speaks JSON lines: { load } once, then { run } as often as asked.
// Replies: { ok, detail, rss } after load, which may be asked for again; { ms, rss, rssPeak, logits? } after run.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class Driver {
  #child
  #lines
  #waiting = []
  #stderr = ''

  constructor(name, command, args, env = {}) {
    this.name = name
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    this.#lines = createInterface({ input: this.#child.stdout })
    this.#lines.on('line', (line) => {
      if (line.startsWith('{')) this.#waiting.shift()?.resolve(JSON.parse(line))
    })
    this.#child.stderr.on('data', (data) => {
      this.#stderr = (this.#stderr + data).slice(-4000)
    })
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting) reject(new Error(`${name} ended with ${code}\n${this.#stderr}`))
      this.#waiting = []
    })
  }

  ask(message) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin.write(`${JSON.stringify(message)}\n`)
    }).then((reply) => {
      if (reply.error) throw new Error(`${this.name}: ${reply.error}`)
      return reply
    })
  }

  close() {
    this.#child.stdin.end()
  }
}

/** Serves the protocol in this process: `library` is `{ load(message), run(sequences) }`, both may be async. */
export function serve(library) {
  const reply = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
  const lines = createInterface({ input: process.stdin })
  let last = Promise.resolve()
  lines.on('line', (line) => {
    const message = JSON.parse(line)
    last = last.then(async () => {
      try {
        if (message.load) {
          const loaded = await library.load(message.load)
          reply({ ok: true, ...loaded, rss: process.memoryUsage.rss() })
        }
        if (message.run) reply(await timed(library, message.run))
      } catch (error) {
        reply({ error: error.stack ?? String(error) })
      }
    })
  })
}

async function timed(library, { sequences, outputs }) {
  const start = process.hrtime.bigint()
  const logits = await library.run(sequences)
  const ms = Number(process.hrtime.bigint() - start) / 1e6
  return {
    ms,
    rss: process.memoryUsage.rss(),
    rssPeak: process.resourceUsage().maxRSS * 1024,
    ...(outputs ? { logits: Array.from(logits) } : {}),
  }
}
