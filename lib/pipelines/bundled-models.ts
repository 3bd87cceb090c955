// Where the small models that come with the package are.
import path = require('node:path')

import { optionalChoice } from '../options'

export const bundledModelNames = ['deberta-mini-en', 'deberta-mini-en-sentiment'] as const
export type BundledModelName = (typeof bundledModelNames)[number]

/**
 * The folder of a model that comes with the package, for trying things out: `deberta-mini-en` (masked LM, English) and
 * `deberta-mini-en-sentiment` (NEGATIVE or POSITIVE).
 *
 * @example
 * const classify = await pipeline('text-classification', bundledModelPath('deberta-mini-en-sentiment'))
 */
export function bundledModelPath(name: BundledModelName): string {
  optionalChoice(name, 'name', bundledModelNames)
  return path.join(__dirname, '..', '..', 'models', name)
}
