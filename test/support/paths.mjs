// Where things are, for tests.
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const fixtures = fileURLToPath(new URL('../fixtures', import.meta.url))
export const model = (name) => `${fixtures}/models/${name}`
export const bundled = (name) => `${root}models/${name}`
export const cli = `${root}dist/cli/main.js`
