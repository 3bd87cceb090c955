// The texts on which decisions are compared. SST-2 dev is what int8's smoothing was chosen on; the held-out ones, SST-2 test
// and WikiText-2 test, chose nothing. None may be redistributed: where the external fixtures (test/fixtures/README.md) are
// not at hand, sentences.txt stands in.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const shared = process.env.DEBERTA_SHARED_FIXTURES ?? `${here}../../../shared/fixtures`

const linesOf = (file) => readFileSync(file, 'utf8').split('\n').filter(Boolean)

/** The sentences of an SST-2 file, "sentence \t label" a line. */
const sst2 = (file) => linesOf(file).map((line) => line.split('\t')[0])

/** Sentences of 9 to 49 words without unknown ones, the first 600. */
function wikitext(file) {
  const sentences = linesOf(file).flatMap((line) => line.trim().split(/(?<= \.) /))
  const whole = sentences.filter((text) => text.endsWith(' .') && !text.includes('<unk>'))
  return whole.filter((text) => text.split(' ').length >= 9 && text.split(' ').length < 50).slice(0, 600)
}

const sources = [
  { name: 'SST-2 dev', file: `${shared}/external/data/sst2/dev.tsv`, read: sst2, heldOut: false },
  { name: 'SST-2 test', file: `${shared}/external/data/sst2/test.tsv`, read: sst2, heldOut: true },
  {
    name: 'WikiText-2 test',
    file: `${shared}/external/data/text/wikitext2_test.txt`,
    read: wikitext,
    heldOut: true,
  },
]

/** `[{ name, texts }]`: those at hand, else the committed sentences. */
export function textSets({ heldOut }) {
  const sets = sources
    .filter((source) => existsSync(source.file) && (heldOut || !source.heldOut))
    .map(({ name, file, read }) => ({ name, texts: read(file) }))
  return sets.length > 0
    ? sets
    : [{ name: 'bench/quality/sentences.txt', texts: linesOf(`${here}sentences.txt`) }]
}

/** The committed sentences. */
export const committedTexts = () => linesOf(`${here}sentences.txt`)
