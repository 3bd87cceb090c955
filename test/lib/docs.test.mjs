// docs/api.md says what lib/ has.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import * as deberta from 'deberta'
import { root } from '../support/paths.mjs'

const text = readFileSync(`${root}docs/api.md`, 'utf8')

test('every export is in the document', () => {
  for (const name of Object.keys(deberta).filter((each) => each !== 'errorCodes'))
    assert.ok(text.includes(`\`${name}`) || text.includes(`[\`${name}\`]`) || text.includes(`${name},`), name)
})

test('every error code is in the document with its meaning', () => {
  for (const [code, meaning] of Object.entries(deberta.errorCodes))
    assert.ok(text.includes(`| \`${code}\` | ${meaning} |`), code)
})

test('links inside the document lead somewhere', () => {
  const anchors = [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  )
  for (const [, target] of text.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.includes(target), target)
})
