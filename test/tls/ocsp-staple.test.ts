import assert from 'node:assert/strict'
import {
  isRevokedIn,
  MAX_STAPLE_BYTES,
  revokedSerials,
} from '../../src/tls/ocsp-staple.js'
import { needs } from '../support/needs.js'
import { RevokingCa } from '../support/openssl-revocation.js'
import type { Responder, Revocable } from '../support/openssl-revocation.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'

describe('a stapled OCSP response', function () {
  let folder: TempFolder
  let responder: Responder
  let good: Revocable
  let revoked: Revocable
  let another: Revocable
  let unknown: Revocable

  before(async function () {
    needs(this, 'openssl')
    folder = await tempFolder()
    const ca = await RevokingCa.create(folder.path)
    good = await ca.issue('a.test', false)
    revoked = await ca.issue('b.test', true)
    another = await ca.issue('c.test', true)
    unknown = await ca.issue('d.test', undefined)
    responder = await ca.respond()
  })
  after(async () => {
    await responder[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  it('says which certificates are revoked, and no others', async () => {
    const serials = [revoked, another].map(({ serial }) => BigInt(`0x${serial}`))
    assert.deepEqual(revokedSerials(await responder.about(revoked)), [serials[0]])
    assert.deepEqual(revokedSerials(await responder.about(good)), [])
    assert.deepEqual(revokedSerials(await responder.about(unknown)), [])
    const all = await responder.about(good, revoked, another, unknown)
    assert.deepEqual(revokedSerials(all), serials)
    assert.equal(isRevokedIn(serials, revoked.serial), true)
    assert.equal(isRevokedIn(serials, revoked.serial.toLowerCase()), true)
    assert.equal(isRevokedIn(serials, good.serial), false)
    assert.equal(isRevokedIn(serials, ''), false)
  })

  it('says nothing where it is cut, tampered with or too long, and never throws', async () => {
    const bytes = await responder.about(revoked)
    for (let length = 0; length < bytes.length - 80; length++)
      assert.deepEqual(revokedSerials(bytes.subarray(0, length)), [], String(length))
    const serial = BigInt(`0x${revoked.serial}`)
    for (let at = 0; at < bytes.length; at++)
      for (const value of [0x00, 0x80, 0xff]) {
        const other = Buffer.from(bytes)
        other[at] = value
        assert.ok(revokedSerials(other).length <= 1)
      }
    assert.deepEqual(revokedSerials(bytes), [serial])
    const long = Buffer.concat([bytes, Buffer.alloc(MAX_STAPLE_BYTES)])
    assert.deepEqual(revokedSerials(long), [])
  })
})
