// Checks of what callers pass: types and ranges, once, here. Anything that is read from a file is checked in native/.
import { DebertaError, invalidArgument } from './errors'

/** Refuses anything but an object, and every name that is not in `known`, with the likeliest spelling. */
export function checkOptionNames(options: unknown, known: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw invalidArgument('an object', 'options', options)
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    const suggestion = closest(name, known)
    const hint = suggestion ? `did you mean \`${suggestion}\`?` : `known are ${known.join(', ')}`
    throw new DebertaError('DEBERTA_ERR_INVALID_ARGUMENT', `${where} has no option \`${name}\`; ${hint}`, {
      details: { name, suggestion },
    })
  }
}

/** The type of an option as the caller gave it; undefined when it was left out. For results whose type depends on it. */
export type OptionOf<Options, Name extends PropertyKey> = Name extends keyof Options
  ? Options[Name]
  : undefined

export interface IntegerRange {
  readonly min?: number
  readonly max?: number
}

/** `value` as an integer in the range, or undefined when it is undefined. */
export function optionalInteger(value: unknown, name: string, range: IntegerRange = {}): number | undefined {
  if (value === undefined) return undefined
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw invalidArgument(describeRange(range), name, value)
}

export function optionalBoolean(value: unknown, name: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  throw invalidArgument('a boolean', name, value)
}

/** `value` as one of `choices`, or undefined when it is undefined. */
export function optionalChoice<Choice extends string>(
  value: unknown,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  if (value === undefined) return undefined
  const choice = choices.find((candidate) => candidate === value)
  if (choice === undefined)
    throw invalidArgument(choices.map((each) => `'${each}'`).join(' or '), name, value)
  return choice
}

export function optionalSignal(value: unknown, name = 'signal'): AbortSignal | undefined {
  if (value === undefined || value instanceof AbortSignal) return value
  throw invalidArgument('an AbortSignal', name, value)
}

export function optionalFunction<Function_ extends (...args: never[]) => unknown>(
  value: Function_ | undefined,
  name: string,
): Function_ | undefined {
  if (value === undefined || typeof value === 'function') return value
  throw invalidArgument('a function', name, value)
}

export function requiredString(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw invalidArgument('a string', name, value)
}

const int32Max = 2 ** 31 - 1

/** An Int32Array as it is, an array of integers as an Int32Array. */
export function int32Array(value: unknown, name: string): Int32Array {
  if (value instanceof Int32Array) return value
  if (!Array.isArray(value)) throw invalidArgument('an Int32Array or an array of integers', name, value)
  const values: readonly unknown[] = value
  const array = new Int32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const element = values[i]
    if (typeof element !== 'number' || !Number.isInteger(element) || Math.abs(element) > int32Max)
      throw invalidArgument('a 32-bit integer', `${name}[${i}]`, element)
    array[i] = element
  }
  return array
}

function describeRange({ min, max }: IntegerRange): string {
  if (min !== undefined && max !== undefined) return `an integer from ${min} to ${max}`
  if (min !== undefined) return min === 1 ? 'a positive integer' : `an integer of at least ${min}`
  return 'an integer'
}

/** The known name that differs least, when it differs by at most a third of its letters. */
function closest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase().replaceAll(/[_-]/g, ''), candidate.toLowerCase())
    if (distance < bestDistance && distance <= Math.max(1, candidate.length / 3)) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(substituted, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
