// The one error class of the package and the table of its codes. native/base/error_codes.def holds the same names; a test
// keeps the two equal.

/** Every code and what it means. Match on `error.code`; messages may change between versions. */
export const errorCodes = {
  DEBERTA_ERR_INVALID_ARGUMENT: 'an argument of a call has the wrong type, value or shape',
  DEBERTA_ERR_FILE_NOT_FOUND: 'a file that is needed does not exist or cannot be opened',
  DEBERTA_ERR_MODEL_FILE: 'a checkpoint or configuration file is malformed',
  DEBERTA_ERR_TOKENIZER_FILE: 'a tokenizer file is malformed or of a kind that is not supported',
  DEBERTA_ERR_UNSUPPORTED_CONFIG:
    'the configuration asks for something that is contradictory or not supported',
  DEBERTA_ERR_WEIGHT_MISSING: 'the checkpoint lacks a tensor that the model needs',
  DEBERTA_ERR_WEIGHT_SHAPE:
    'a tensor of the checkpoint has another shape or dtype than the configuration implies',
  DEBERTA_ERR_WEIGHT_UNEXPECTED: 'the checkpoint holds a tensor that the model has no use for',
  DEBERTA_ERR_SEQUENCE_TOO_LONG: 'a sequence is longer than the model or the options allow',
  DEBERTA_ERR_OUT_OF_MEMORY: 'memory for a tensor could not be allocated',
  DEBERTA_ERR_BACKEND_UNAVAILABLE: 'the requested device, dtype or instruction set is not available here',
  DEBERTA_ERR_DEVICE: 'the device reported an error',
  DEBERTA_ERR_DISPOSED: 'the object was disposed before the call',
  DEBERTA_ERR_ABORTED: 'the operation was aborted by its signal',
  DEBERTA_ERR_INTERNAL: 'a bug in this library; please report it',
} as const

export type ErrorCode = keyof typeof errorCodes

export interface DebertaErrorOptions {
  /** What a program may want to know beyond the message: option, value, index. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/**
 * What every function of this package throws or rejects with, except for the reason of an AbortSignal, which is passed on
 * as it is.
 *
 * @example
 * try {
 *   await classify(text)
 * } catch (error) {
 *   if (error instanceof DebertaError && error.code === 'DEBERTA_ERR_SEQUENCE_TOO_LONG') …
 * }
 */
export class DebertaError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: DebertaErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'DebertaError'
    this.code = code
    this.details = options.details ?? {}
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorCodes, code)
}

/** The error of the addon as a DebertaError; its stack is that of the call, not of the addon's thread. */
export function fromNative(error: unknown): unknown {
  if (error instanceof DebertaError || !(error instanceof Error)) return error
  const code: unknown = (error as Error & { code?: unknown }).code
  return isErrorCode(code) ? new DebertaError(code, error.message) : error
}

/** An argument's mistake in the one phrase: expected, for which name, what came. */
export function invalidArgument(expected: string, name: string, got: unknown): DebertaError {
  return new DebertaError(
    'DEBERTA_ERR_INVALID_ARGUMENT',
    `expected ${expected} for \`${name}\`, got ${describe(got)}`,
    {
      details: { name, value: got },
    },
  )
}

/** A value for a message: short, and with its type where that is not plain to see. */
function describe(value: unknown): string {
  if (typeof value === 'string')
    return value.length > 60 ? `a string of ${value.length} characters` : `'${value}'`
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  if (typeof value === 'bigint') return `${value}n (bigint)`
  if (ArrayBuffer.isView(value)) return `an ${value.constructor.name} of ${value.byteLength} bytes`
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object') return `an object (${value.constructor?.name ?? 'no prototype'})`
  return `a ${typeof value}`
}
