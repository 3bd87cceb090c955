// The only file that touches the addon: finds and loads deberta.node, runs its jobs under an AbortSignal, and turns its
// errors into DebertaError.
import path = require('node:path')

import type { NativeBinding, NativeJob } from '../binding'
import { DebertaError, fromNative } from './errors'

export type {
  NativeDevice,
  NativeEncodeOptions,
  NativeEncodings,
  NativeForwardRequest,
  NativeForwardResult,
  NativeJob,
  NativeLoadedModel,
  NativeModel,
  NativeTensor,
  NativeTokenizer,
} from '../binding'

interface Settling {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

let loaded: NativeBinding | undefined
const pending = new Map<number, Settling>() // by job id

/**
 * The addon: DEBERTA_BINDING names a file, else build/Release of a checkout, else the prebuilt one of the package.
 *
 * @throws DEBERTA_ERR_BACKEND_UNAVAILABLE with what to do about it
 */
export function native(): NativeBinding {
  if (loaded) return loaded
  loaded = load()
  loaded.listen(settle)
  return loaded
}

function settle(id: number, error: Error | null, result: unknown): void {
  const job = pending.get(id)
  pending.delete(id)
  if (error) job?.reject(error)
  else job?.resolve(result)
}

function load(): NativeBinding {
  const override = process.env.DEBERTA_BINDING
  try {
    if (override) return require(path.resolve(override)) as NativeBinding
    // Keep this exact form: bundlers' file tracing recognises it and ships the .node file.
    return require('node-gyp-build')(path.join(__dirname, '..')) as NativeBinding
  } catch (error) {
    throw new DebertaError('DEBERTA_ERR_BACKEND_UNAVAILABLE', loadFailure(error, override), { cause: error })
  }
}

/** Why the addon did not load, and what helps, by symptom. */
export function loadFailure(error: unknown, override?: string): string {
  const code = (error as { code?: unknown } | null)?.code
  const reason = error instanceof Error ? error.message : String(error)
  const platform = `${process.platform}-${process.arch}, Node ${process.versions.node}`
  return [
    `the native addon of deberta could not be loaded (${platform}): ${reason.trim()}`,
    ...loadAdvice(code, reason, override),
  ].join('\n- ')
}

function loadAdvice(code: unknown, reason: string, override: string | undefined): string[] {
  if (code === 'ERR_DLOPEN_DISABLED')
    return ['native addons are disabled: remove --no-addons, or give the permission model --allow-addons']
  if (override) return [`DEBERTA_BINDING is '${override}': it must name a deberta.node file, or be unset`]
  if (/GLIBC(XX)?_\d|version `.*' not found/.test(reason))
    return [
      'this system is older than the prebuilt addon needs (glibc 2.28): use a newer base image',
      'or build it here: npm explore deberta -- npm run build (needs CMake and a C++20 compiler)',
    ]
  if (/musl|ld-linux|symbol not found/i.test(reason))
    return [
      'this is a musl system (Alpine) with an addon built for glibc: install on the system that runs it',
      'or use a glibc image such as node:20-slim',
    ]
  if (/No native build was found/.test(reason))
    return [
      'there is no prebuilt addon for this platform, or a bundler left it out: mark `deberta` as external',
      'to build it here: npm explore deberta -- npm run build (needs CMake and a C++20 compiler)',
    ]
  return ['reinstall the package on the system that runs it; node_modules must not be copied between systems']
}

/**
 * Starts a native job and waits for it. An abort asks the job to stop (between two layers) and rejects with the signal's
 * own reason.
 */
export async function runJob<Result>(
  start: () => NativeJob<Result>,
  signal: AbortSignal | undefined,
): Promise<Result> {
  signal?.throwIfAborted()
  let onAbort: (() => void) | undefined
  try {
    const id = start()
    const ended = new Promise<unknown>((resolve, reject) => pending.set(id, { resolve, reject }))
    if (signal) {
      onAbort = () => native().cancel(id)
      signal.addEventListener('abort', onAbort, { once: true })
    }
    const result = (await ended) as Result
    signal?.throwIfAborted() // aborted after the job's last look: the caller has let go all the same
    return result
  } catch (error) {
    throw signal?.aborted ? signal.reason : fromNative(error)
  } finally {
    if (onAbort) signal?.removeEventListener('abort', onAbort)
  }
}

/** Calls the addon, with its errors as DebertaError. */
export function callNative<Result>(call: () => Result): Result {
  try {
    return call()
  } catch (error) {
    throw fromNative(error)
  }
}
