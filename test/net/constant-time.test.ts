/** Secrets are compared in constant time: the comparison itself is watched. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import {
  hashPassword,
  parsePasswordHash,
  verifyPassword,
} from '../../src/net/password.js'
import { AccessKeys, newKey } from '../../src/policy/access-keys.js'
import { readToken, signToken } from '../../src/policy/override-token.js'

/** Counts what is compared while it is in scope. */
function watched(): Disposable & { count: number } {
  const own = crypto.timingSafeEqual
  const watch = {
    count: 0,
    [Symbol.dispose]: () => {
      crypto.timingSafeEqual = own
      syncBuiltinESMExports()
    },
  }
  crypto.timingSafeEqual = (a, b) => {
    watch.count++
    return own(a, b)
  }
  syncBuiltinESMExports()
  return watch
}

describe('a secret', () => {
  it('is compared in constant time, right or wrong, in each form of hash', async () => {
    const old = `sha256:${crypto.createHash('sha256').update('right').digest('hex')}`
    for (const text of [await hashPassword('right'), old]) {
      const hash = parsePasswordHash(text)
      assert.ok(hash !== undefined)
      using watch = watched()
      assert.equal(await verifyPassword(hash, 'right'), true)
      assert.equal(await verifyPassword(hash, 'wrong'), false)
      assert.equal(watch.count, 2)
    }
  })

  it('is so as a key of ours, with each that there is', () => {
    const made = [newKey(), newKey(), newKey()]
    const keys = new AccessKeys(
      made.map(({ digest }, index) => ({ name: String(index), digest, models: [] })),
    )
    const { key: first } = made[0] ?? newKey()
    for (const given of [first, 'yori-nobody', '']) {
      using watch = watched()
      const found = keys.find(given, 0)
      assert.equal(typeof found === 'string', given !== first)
      assert.equal(watch.count, made.length)
    }
  })

  it('is so in the token of a block page', () => {
    const key = Buffer.alloc(32, 1)
    const about = { requestId: 'r', ip: '192.0.2.1', policy: 'p', endpoint: 'e' }
    const token = signToken(key, { ...about, expiresAt: 10 })
    using watch = watched()
    assert.ok(readToken(key, token, 9) !== undefined)
    assert.equal(readToken(Buffer.alloc(32, 2), token, 9), undefined)
    assert.equal(watch.count, 2)
  })
})
