import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { hashPassword } from '../../src/net/password.js'
import { ProxyUsers } from '../../src/net/proxy-users.js'
import { ManualClock } from '../support/manual-clock.js'

const basic = (credentials: string): string =>
  `Basic ${Buffer.from(credentials).toString('base64')}`

async function users(clock = new ManualClock()): Promise<ProxyUsers> {
  const passwordHash = await hashPassword('a:b ü')
  return new ProxyUsers([{ name: 'kim', passwordHash }], clock)
}

describe('proxy users', () => {
  it('are let in by name and password', async () => {
    const known = await users()
    assert.equal(await known.check(basic('kim:a:b ü')), true)
    assert.equal(await known.check(basic('kim:a:b ü').replace('Basic', 'bAsIc ')), true)
  })

  for (const [title, field] of [
    ['nothing', undefined],
    ['another password', basic('kim:a:b')],
    ['another name', basic('eve:a:b ü')],
    ['no colon', basic('kim')],
    ['another scheme', 'Bearer abc'],
    ['no base64', 'Basic !!!'],
    ['a field over its limit', `Basic ${'a'.repeat(2000)}`],
  ] as const) {
    it(`are not known by ${title}`, async () => {
      assert.equal(await (await users()).check(field), false)
    })
  }

  it('are known at once for five minutes, and then asked again', async () => {
    const clock = new ManualClock()
    const known = await users(clock)
    const field = basic('kim:a:b ü')
    assert.notEqual(typeof known.check(field), 'boolean')
    assert.equal(await known.check(field), true)
    assert.equal(known.check(field), true)
    clock.advance(5 * 60_000 - 1)
    assert.equal(known.check(field), true)
    clock.advance(1)
    const again = known.check(field)
    assert.notEqual(typeof again, 'boolean')
    assert.equal(await again, true)
  })

  it('are checked once for many requests at once, and a few at a time', async () => {
    const known = await users()
    const field = basic('kim:a:b ü')
    assert.equal(known.check(field), known.check(field))
    const many = Array.from({ length: 20 }, (_, i) => known.check(basic(`kim:${i}`)))
    assert.ok(many.filter((one) => one === false).length >= 12)
    assert.deepEqual(
      new Set(await Promise.all(many.map(async (one) => one))),
      new Set([false]),
    )
    assert.equal(await known.check(field), true)
  })

  it('leave no password where it could be printed', async () => {
    const known = await users()
    await known.check(basic('kim:a:b ü'))
    const text = inspect(known, { depth: 9, showHidden: true }) + JSON.stringify(known)
    assert.doesNotMatch(text, /a:b/)
    assert.doesNotMatch(text, new RegExp(basic('kim:a:b ü').slice(6)))
  })

  for (const [title, user] of [
    ['a hash that is none', { name: 'kim', passwordHash: `scrypt:${'x'.repeat(30)}` }],
    ['a name with a colon', { name: 'k:m', passwordHash: `sha256:${'0'.repeat(64)}` }],
  ] as const) {
    it(`are refused by the configuration with ${title}`, () => {
      assert.throws(() => new ProxyUsers([user], new ManualClock()), {
        code: 'YORI_CONFIG_INVALID',
      })
    })
  }
})
