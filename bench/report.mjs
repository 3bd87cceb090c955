// Results as a table on the terminal, as JSON and as an SVG chart.
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The number format that a library's name says first: "deberta float32 (float16 file)" computes in float32. */
const dtypeOf = (library) => library.match(/bfloat16|float32|float16|int8/)?.[0] ?? 'float32'

/** The share of the machine's peak for the dtype of `library` that a time in ms is, or undefined. */
function shareOfPeak(row, result, peaks) {
  const peak = peaks?.[dtypeOf(result.library)]
  return peak ? row.flops / (result.median / 1e3) / (peak * 1e9) : undefined
}

export function printTable(row, peaks) {
  const lines = row.results.map((result) => {
    const share = shareOfPeak(row, result, peaks)
    return [
      result.library.padEnd(32),
      `${result.median.toFixed(2)} ms`.padStart(12),
      `${result.p10.toFixed(2)}–${result.p90.toFixed(2)}`.padStart(18),
      `${Math.round(row.tokens / (result.median / 1e3))} tok/s`.padStart(14),
      share === undefined ? ''.padStart(8) : `${(100 * share).toFixed(0)} %`.padStart(8),
      `${Math.round(result.rssPeak / 2 ** 20)} MB`.padStart(9),
      `${(row.results[0].median > 0 ? result.median / row.results[0].median : 0).toFixed(2)}×`.padStart(8),
    ].join(' ')
  })
  process.stdout.write(`\n${row.workload} (${row.tokens} tokens)\n${lines.join('\n')}\n`)
}

const escaped = (text) => text.replace(/[<&>]/g, (sign) => ({ '<': '&lt;', '&': '&amp;', '>': '&gt;' })[sign])

/** Bars of time relative to the first library, one group a workload. */
function chart(report) {
  const bar = 14
  const width = 860
  const parts = []
  let y = 46
  for (const row of report.rows) {
    parts.push(`<text x="10" y="${y}" font-weight="bold">${row.workload}</text>`)
    y += 8
    const slowest = Math.max(...row.results.map(({ median }) => median))
    for (const [at, result] of row.results.entries()) {
      const length = (result.median / slowest) * (width - 420)
      parts.push(`<text x="20" y="${y + 11}">${escaped(result.library)}</text>`)
      parts.push(
        `<rect x="240" y="${y}" width="${length.toFixed(1)}" height="${bar - 3}" fill="${at === 0 ? '#1764ab' : result.library.startsWith('deberta') ? '#6baed6' : '#bbb'}"/>`,
      )
      parts.push(`<text x="${(246 + length).toFixed(1)}" y="${y + 11}">${result.median.toFixed(1)} ms</text>`)
      y += bar
    }
    y += 22
  }
  const title = `${report.model}, ${report.threads} threads, ${report.machine.cpu}, ${report.date}: median time, shorter is better`
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/><text x="10" y="20" font-size="13">${escaped(title)}</text>${parts.join('')}</svg>\n`
}

/** Writes `<path>.json` and `<path>.svg`. */
export function writeResults(path, report) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.json`, `${JSON.stringify(report, null, 1)}\n`)
  writeFileSync(`${path}.svg`, chart(report))
}
