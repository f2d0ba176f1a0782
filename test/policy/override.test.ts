import assert from 'node:assert/strict'
import { Attempts } from '../../src/policy/attempts.js'
import { readToken, signToken } from '../../src/policy/override-token.js'
import { NOON } from './support.js'

const MINUTE = 60_000

describe('the token of a block page', () => {
  const key = Buffer.alloc(32, 1)
  const claims = {
    requestId: 'r1',
    ip: '192.0.2.10',
    policy: 'bedtime',
    endpoint: 'api.openai.com',
    expiresAt: NOON + 10 * MINUTE,
  }
  const token = signToken(key, claims)

  it('gives its claims back until its time is over', () => {
    assert.deepEqual(readToken(key, token, NOON), claims)
    assert.equal(readToken(key, token, claims.expiresAt), undefined)
  })

  it('is nothing when it was changed, cut, made with another key, or endless', () => {
    const [text, mac] = token.split('.')
    const forged = Buffer.from(JSON.stringify({ ...claims, policy: 'default' }))
    for (const wrong of [
      `${forged.toString('base64url')}.${mac}`,
      `${text}.`,
      `${text}`,
      `${token}.x`,
      token.slice(0, -2),
      '',
      'x'.repeat(5000),
      signToken(Buffer.alloc(32, 2), claims),
    ]) {
      assert.equal(readToken(key, wrong, NOON), undefined, wrong.slice(0, 40))
    }
  })
})

describe('guessing', () => {
  it('ends after 3 tries with one token', () => {
    const attempts = new Attempts()
    const tries = [1, 2, 3, 4].map(() => attempts.allow('a', 't', NOON))
    assert.deepEqual(tries, [true, true, true, false])
    assert.equal(attempts.allow('a', 'other', NOON), true)
  })

  it('ends after 5 tries from one device, for 15 minutes', () => {
    const attempts = new Attempts()
    for (let i = 0; i < 5; i++) assert.ok(attempts.allow('a', `${i}`, NOON))
    assert.equal(attempts.allow('a', 'x', NOON + 15 * MINUTE - 1), false)
    assert.equal(attempts.allow('b', 'x', NOON), true)
    assert.equal(attempts.allow('a', 'x', NOON + 15 * MINUTE), true)
  })

  it('ends after 30 tries in all, for an hour', () => {
    const attempts = new Attempts()
    for (let i = 0; i < 30; i++) assert.ok(attempts.allow(`d${i}`, undefined, NOON))
    assert.equal(attempts.allow('new', undefined, NOON + 60 * MINUTE - 1), false)
    assert.equal(attempts.allow('new', undefined, NOON + 60 * MINUTE), true)
  })

  it('begins anew for a device that was right', () => {
    const attempts = new Attempts()
    for (let i = 0; i < 5; i++) attempts.allow('a', `${i}`, NOON)
    attempts.succeeded('a', NOON)
    assert.equal(attempts.allow('a', 'x', NOON + 1), true)
  })
})
