import assert from 'node:assert/strict'
import test from 'node:test'
import { listDevices, loadModel } from 'deberta'
import { bundled } from '../support/paths.mjs'

test('cpu and reference are there; what is not says why', async () => {
  const devices = await listDevices()
  const names = devices.map((device) => device.name)
  for (const name of ['cpu', 'reference']) assert.ok(names.includes(name), `${name} in ${names}`)
  for (const device of devices) {
    assert.equal(typeof device.detail, 'string')
    if (device.available) assert.ok(device.dtypes.includes('float32'), device.name)
    else assert.ok(device.reason.length > 0, `${device.name} says why not`)
  }
})

test('a device that is not available is an error, never another device', async () => {
  const devices = await listDevices()
  const missing = devices.find((device) => !device.available)?.name ?? 'cuda:97'
  await assert.rejects(loadModel(bundled('deberta-mini-en'), { device: missing }), {
    code: 'DEBERTA_ERR_BACKEND_UNAVAILABLE',
  })
})
