import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { boundTo, deviceId, isBoundTo, shareOf } from '../../src/core/device-id.js'
import { packageRoot } from '../../src/core/package-root.js'

const IP = '192.0.2.7'
const MAC = '02:00:5e:10:00:01'

describe('which device it is', () => {
  it('is said by its MAC wherever that is known, and by its address else', () => {
    assert.equal(deviceId({ ip: IP, mac: MAC }), MAC)
    assert.equal(deviceId({ ip: IP }), IP)
    assert.equal(deviceId({ ip: IP, mac: null }), IP)
    assert.deepEqual(boundTo({ ip: IP, mac: MAC }), { mac: MAC })
    assert.deepEqual(boundTo({ ip: IP, mac: null }), { ip: IP })
  })

  it('is another when it has the address of the first and a MAC of its own', () => {
    const first = { ip: IP, mac: MAC }
    assert.equal(isBoundTo(boundTo(first), { ip: '192.0.2.8', mac: MAC }), true)
    assert.equal(isBoundTo(boundTo(first), { ip: IP, mac: '02:00:5e:10:00:02' }), false)
    assert.equal(isBoundTo(boundTo(first), { ip: IP }), false)
    // Bound while nobody knew its MAC: by the address alone.
    assert.equal(isBoundTo({ ip: IP }, first), true)
    assert.equal(isBoundTo({ ip: '192.0.2.8' }, first), false)
  })

  it('has one share, however many addresses of its /64 it takes', () => {
    const share = shareOf({ ip: '2001:db8::1' })
    assert.equal(shareOf({ ip: '2001:db8::ffff:1' }), share)
    assert.notEqual(shareOf({ ip: '2001:db8:0:1::1' }), share)
  })

  it('is decided in one place', () => {
    const own = readdirSync(`${packageRoot}/src`, { recursive: true, encoding: 'utf8' })
    const said = own
      .filter((file) => file.endsWith('.ts') && file !== 'core/device-id.ts')
      .filter((file) => !file.startsWith('rego/node_modules'))
      .filter((file) =>
        /\bmac \?\? (?:\w+\.)?ip\b/.test(
          readFileSync(`${packageRoot}/src/${file}`, 'utf8'),
        ),
      )
    // Lists print whichever of the two an entry was written with.
    const printed = (file: string): boolean =>
      /^cli\/commands\/household\/(?:approve|pin-command)\.ts$|^dashboard\/pages\/approvals-page\.ts$/.test(
        file,
      )
    assert.deepEqual(
      said.filter((file) => !printed(file)),
      [],
    )
  })
})
