import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Undecided } from '../../../src/proxy/bounds/undecided.js'
import type { Place } from '../../../src/proxy/bounds/undecided.js'
import { rawTcpClient, tlsThroughProxy } from '../../support/clients.js'
import { behind, NAME } from '../../support/proxied.js'
import { Yori } from '../../support/yori.js'

const isIn = async (place: Place): Promise<boolean> =>
  Promise.race([
    (place.turn ?? Promise.resolve()).then(() => true),
    new Promise<boolean>((resolve) => setImmediate(() => resolve(false))),
  ])

describe('undecided connections', () => {
  it('over the limit of one client wait in line for one that is decided', async () => {
    const places = new Undecided({ max: 10, maxPerClient: 2 })
    const [first, second] = [places.enter('a'), places.enter('a')]
    const [third, fourth] = [places.enter('a'), places.enter('a')]
    assert.equal(await isIn(places.enter('b')), true)
    assert.equal(await isIn(third), false)
    second.leave()
    assert.equal(await isIn(third), true)
    assert.equal(await isIn(fourth), false)
    assert.equal(places.waiting, 3)
    assert.equal(places.inLine, 1)
    assert.equal(first.signal.aborted, false)
  })

  it('over the limit of all wait likewise, in the order in which they came', async () => {
    const places = new Undecided({ max: 2, maxPerClient: 2 })
    const [first, second] = [places.enter('a'), places.enter('b')]
    const [third, fourth] = [places.enter('c'), places.enter('a')]
    first.leave()
    assert.deepEqual([await isIn(third), await isIn(fourth)], [true, false])
    second.leave()
    assert.equal(await isIn(fourth), true)
  })

  it('make room for those in line when they have been slow for over a second', async () => {
    const told: string[] = []
    const places = new Undecided({
      max: 10,
      maxPerClient: 2,
      onCrowded: (client, limit) => told.push(`${client} ${limit}`),
    })
    const [first, second] = [places.enter('a'), places.enter('a')]
    const third = places.enter('a')
    places.tick()
    assert.equal(first.signal.aborted, false)
    places.tick()
    assert.equal(first.signal.aborted, true)
    assert.equal(second.signal.aborted, false)
    assert.equal(await isIn(third), true)
    assert.deepEqual(told, ['a client'])
    // The one that has waited before gets its own second.
    places.tick()
    const fourth = places.enter('a')
    assert.deepEqual([second.signal.aborted, third.signal.aborted], [true, false])
    assert.equal(await isIn(fourth), true)
  })

  it('stay as long as their deadlines let them while nobody waits', () => {
    const places = new Undecided({ max: 2, maxPerClient: 2 })
    const all = [places.enter('a'), places.enter('a')]
    for (let n = 0; n < 60; n++) places.tick()
    assert.deepEqual(
      all.map(({ signal }) => signal.aborted),
      [false, false],
    )
  })

  it('give their place back once, whichever way they go', () => {
    const places = new Undecided({ max: 1, maxPerClient: 1 })
    const first = places.enter('a')
    const second = places.enter('a')
    second.leave()
    assert.equal(places.inLine, 0)
    first.leave()
    first.leave()
    assert.equal(places.waiting, 0)
  })

  it('of a client that stalls make room for its next', async () => {
    await using yori = await Yori.start({
      config: { limits: { undecided_per_client: 2 } },
    })
    const stalled = [await rawTcpClient(yori.port), await rawTcpClient(yori.port)]
    const [oldest] = stalled
    const gone = oldest === undefined ? undefined : once(oldest, 'end')
    oldest?.resume()
    const health = await fetch(`${yori.url}/health`)
    assert.equal(health.status, 200)
    await gone
    for (const socket of stalled) socket.destroy()
  })

  for (const alpn of ['http/1.1', 'h2']) {
    it(`that come 200 at once over CONNECT are all served, offering ${alpn} first`, async () => {
      await using setup = await behind((_request, response) => response.end('ok'))
      const { yori } = setup
      const ALPNProtocols = alpn === 'h2' ? ['h2', 'http/1.1'] : ['http/1.1']
      const opened = await Promise.allSettled(
        Array.from({ length: 200 }, () =>
          tlsThroughProxy(yori.port, NAME, { ca: yori.rootPem, ALPNProtocols }),
        ),
      )
      const failed = opened.flatMap((one) =>
        one.status === 'rejected' ? [String(one.reason)] : [],
      )
      for (const one of opened) if (one.status === 'fulfilled') one.value.destroy()
      assert.deepEqual(failed, [])
    })
  }
})
