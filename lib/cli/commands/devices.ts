// deberta devices: what this machine can compute on.
import { listDevices } from '../../index'
import { outputOptions } from '../arguments'
import type { Command, Context } from '../command'

async function run({ output }: Context): Promise<void> {
  for (const device of await listDevices()) {
    const state = device.available ? device.dtypes.join(', ') : `not available: ${device.reason}`
    await output.write(device, [[device.name.padEnd(10), device.detail, state]])
  }
}

export const devicesCommand: Command = {
  summary: 'list what this machine can compute on',
  operands: '',
  options: outputOptions,
  run,
}
