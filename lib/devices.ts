// What this build and this machine can compute on.
import { type NativeDevice, native, runJob } from './binding'

export interface Device {
  /** As `device` of loadModel takes it: 'cpu', 'reference', 'cuda:0'. */
  readonly name: string
  /** What it is: 'avx512', 'NVIDIA H200 (sm_90)'. */
  readonly detail: string
  readonly available: boolean
  /** Why not, when it is not available; else ''. */
  readonly reason: string
  /** What it can compute in, the default first. */
  readonly dtypes: readonly string[]
}

/**
 * Every device this build knows, available or not.
 *
 * @example
 * const devices = await listDevices()
 * devices.filter((device) => device.available).map((device) => device.name) // ['reference', 'cpu']
 */
export async function listDevices(): Promise<Device[]> {
  const devices: NativeDevice[] = await runJob(() => native().listDevices(), undefined)
  return devices
}
