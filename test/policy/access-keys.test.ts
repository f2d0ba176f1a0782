/** Keys of our own by their digests, and the rates that they are given. */
import assert from 'node:assert/strict'
import { AccessKeys, allowsModel, digestOfKey } from '../../src/policy/access-keys.js'
import { TokenBucket } from '../../src/policy/token-bucket.js'

const key = {
  name: 'app',
  // printf %s yori-secret | openssl dgst -sha256 -binary | basenc --base64url | tr -d =
  digest: 'tQXJXdBdgNKMBXpHKgV4swrIQ9jokLoJjdsspMrsR_Y',
  models: ['gpt-4o', 'claude-*'],
  expiresAt: 1000,
}

describe('a key of ours', () => {
  it('is kept as its digest', () => assert.equal(digestOfKey('yori-secret'), key.digest))

  it('is found until it expires, and no other is', () => {
    const keys = new AccessKeys([{ ...key, name: 'other', digest: 'AAAA' }, key])
    assert.deepEqual(keys.find('yori-secret', 999), key)
    assert.equal(keys.find('yori-secret', 1000), 'expired')
    assert.equal(keys.find('yori-secret ', 0), 'unknown')
    assert.equal(keys.find('', 0), 'unknown')
  })

  for (const [model, allowed] of [
    ['gpt-4o', true],
    ['gpt-4o-mini', false],
    ['claude-x', true],
    ['claude-', true],
    ['Claude-x', false],
    [undefined, false],
  ] as const)
    it(`for ${String(model)}`, () => assert.equal(allowsModel(key, model), allowed))
})

describe('a rate by the minute', () => {
  it('lets a minute pass at once, and says when there is more', () => {
    const bucket = new TokenBucket(60, 0)
    for (let i = 0; i < 60; i++) assert.equal(bucket.take(1, 0), 0)
    assert.equal(bucket.take(1, 0), 1000)
    assert.equal(bucket.take(1, 999), 1)
    assert.equal(bucket.take(1, 1000), 0)
    assert.equal(bucket.take(60, 1_000_000), 0)
  })

  it('owes what was used without being asked for', () => {
    const bucket = new TokenBucket(600, 0)
    bucket.used(1200, 0)
    assert.equal(bucket.take(1, 0), 60_100)
    assert.equal(bucket.take(1, 60_100), 0)
  })
})
