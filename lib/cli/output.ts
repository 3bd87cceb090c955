// What a command prints: JSON lines, or on a terminal a small table.
import type { Writable } from 'node:stream'

export type Row = readonly (string | number)[]

export class Output {
  readonly #stream: Writable
  readonly #json: boolean

  constructor(stream: Writable, json: boolean) {
    this.#stream = stream
    this.#json = json
  }

  /** One result: `record` as a line of JSON, or `rows` as a table. Resolves once the stream takes more. */
  async write(record: unknown, rows: readonly Row[]): Promise<void> {
    const text = this.#json ? `${JSON.stringify(record)}\n` : table(rows)
    if (this.#stream.write(text)) return
    await new Promise<void>((resolve) => this.#stream.once('drain', resolve))
  }
}

/** Columns padded to their widest cell; numbers with four decimals and to the right. */
export function table(rows: readonly Row[]): string {
  const cells = rows.map((row) => row.map(format))
  const widths: number[] = []
  for (const row of cells)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  const lines = cells.map((row, r) =>
    row
      .map((cell, i) => {
        const width = widths[i] ?? 0
        return typeof rows[r]?.[i] === 'number' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

function format(cell: string | number): string {
  if (typeof cell === 'string') return cell.replaceAll(/[\t\r\n]+/g, ' ')
  return Number.isInteger(cell) ? String(cell) : cell.toFixed(4)
}

/** A text for a table cell. */
export function shorten(text: string, length = 60): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`
}
