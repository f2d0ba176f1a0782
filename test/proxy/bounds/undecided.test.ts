import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Undecided } from '../../../src/proxy/bounds/undecided.js'
import { rawTcpClient } from '../../support/clients.js'
import { Yori } from '../../support/yori.js'

describe('undecided connections', () => {
  it('over the limit of one client have their oldest decided', () => {
    const places = new Undecided(10, 2)
    const [first, second] = [places.enter('a'), places.enter('a')]
    places.enter('b')
    assert.equal(first.signal.aborted, false)
    places.enter('a')
    assert.equal(first.signal.aborted, true)
    assert.equal(second.signal.aborted, false)
    assert.equal(places.waiting, 3)
  })

  it('over the limit of all have the oldest of all decided', () => {
    const places = new Undecided(2, 2)
    const first = places.enter('a')
    const second = places.enter('b')
    places.enter('c')
    assert.equal(first.signal.aborted, true)
    assert.equal(second.signal.aborted, false)
    assert.equal(places.waiting, 2)
  })

  it('give their place back once, whichever way they go', () => {
    const places = new Undecided(1, 1)
    const first = places.enter('a')
    const second = places.enter('a')
    first.leave()
    assert.equal(places.waiting, 1)
    second.leave()
    second.leave()
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
})
