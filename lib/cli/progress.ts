// One line on stderr that counts texts, for work of more than a second on a terminal.
import type { Writable } from 'node:stream'

const quietMilliseconds = 1000
const refreshMilliseconds = 100

export class ProgressLine {
  readonly #stream: Writable | null
  readonly #began = performance.now()
  #shown = 0

  /** `stream` null: nothing is shown. */
  constructor(stream: Writable | null) {
    this.#stream = stream
  }

  update(done: number): void {
    const now = performance.now()
    if (!this.#stream || now - this.#began < quietMilliseconds || now - this.#shown < refreshMilliseconds)
      return
    this.#shown = now
    const rate = (done / (now - this.#began)) * 1000
    this.#stream.write(`\r\u001b[K${done} texts, ${rate.toFixed(1)} per second`)
  }

  clear(): void {
    if (this.#shown > 0) this.#stream?.write('\r\u001b[K')
  }
}
