/** Targets are looked at over real sockets: TCP, and TLS whose certificate is verified. */
import assert from 'node:assert/strict'
import { PoolLooks } from '../../src/assembly/pool-looks.js'
import type { DoorPool } from '../../src/policy/door.js'
import type { Pool } from '../../src/pools/pool.js'
import { FickleOrigin } from '../support/fickle-origin.js'
import { makePool } from '../pools/support.js'
import { TestCa } from '../support/test-ca.js'
import { Yori } from '../support/yori.js'

describe('the targets of a pool', () => {
  it('are down whose port is closed, or whose certificate is not believed', async () => {
    const ca = new TestCa()
    const own = ca.issue({ names: ['known.test'] })
    const foreign = new TestCa('Another').issue({ names: ['foreign.test'] })
    await using plain = await FickleOrigin.start()
    await using closed = await FickleOrigin.start()
    await using known = await FickleOrigin.start({ certificate: own })
    await using stranger = await FickleOrigin.start({ certificate: foreign })
    await closed.turn('refuses')
    await using yori = await Yori.start({
      trust: [ca],
      origins: { 'known.test': known, 'foreign.test': stranger },
    })
    const { upstream, catalogue } = yori.appliance.current.services
    const targets = [
      ...[plain, closed].map(({ port }) => ({ host: '127.0.0.1', port, plain: true })),
      ...['known.test', 'foreign.test'].map((host) => ({
        host,
        port: 443,
        plain: false,
      })),
    ].map((one) => ({
      target: { ...one, isWritten: one.plain, prefix: '' },
      key: undefined,
    }))
    const names = ['plain', 'closed', 'known', 'foreign']
    const { pool, clock } = makePool(names, { limits: { healthEveryMs: 10_000 } })
    const doors: DoorPool[] = [{ settings: pool.settings, targets }]
    const looks = new PoolLooks({
      pools: { find: () => pool },
      doors,
      upstream,
      catalogue,
    })
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(up(pool), names)
      await looks.look()
      // A second one within the interval opens nothing.
      await looks.look()
      clock.advance(10_000)
    }
    assert.deepEqual(up(pool), ['plain', 'known'])
    assert.equal(plain.accepted, 3)
    assert.equal(plain.arrived.length, 0)
    await closed.turn('well')
    await looks.look()
    assert.equal(pool.seen()[1]?.standing, 'trial')
    assert.equal(pool.seen()[3]?.standing, 'out')
  })
})

function up(pool: Pool): string[] {
  return pool
    .seen()
    .filter(({ standing }) => standing === 'up')
    .map(({ id }) => id)
}
