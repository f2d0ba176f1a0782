import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { YoriError } from '../../src/core/errors.js'
import { Resolver, type ResolverOptions } from '../../src/net/resolver.js'
import { DnsServer, type DnsAnswer } from '../support/dns-server.js'
import { ManualClock } from '../support/manual-clock.js'

const V4 = '192.0.2.10'
const V6 = '2001:db8::10'
const both: DnsAnswer = { kind: 'addresses', addresses: [V4, V6], ttl: 60 }

function resolverFor(
  server: DnsServer,
  clock: ManualClock,
  more?: Partial<ResolverOptions>,
) {
  const defaults = { staleMs: 3_600_000, timeoutMs: 60_000, maxNames: 100 }
  return new Resolver({ servers: [server.address], clock, ...defaults, ...more })
}

function refusing(reason: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof YoriError)
    assert.equal(error.code, 'YORI_UPSTREAM_UNRESOLVED')
    assert.match(error.message, reason)
    return true
  }
}

describe('the resolver', () => {
  it('asks for both families and remembers for the TTL', async () => {
    await using server = await DnsServer.start()
    server.answer = () => both
    const clock = new ManualClock()
    const resolver = resolverFor(server, clock)
    assert.deepEqual(await resolver.lookup('api.test'), [V4, V6])
    assert.deepEqual(server.questions.sort(), ['api.test A', 'api.test AAAA'])
    clock.advance(59_999)
    await resolver.lookup('api.test')
    assert.equal(server.questions.length, 2)
    clock.advance(1)
    await resolver.lookup('api.test')
    assert.equal(server.questions.length, 4)
  })

  it('keeps no answer less than 5 seconds or more than an hour', async () => {
    await using server = await DnsServer.start()
    for (const [ttl, keptMs] of [
      [0, 5_000],
      [86_400, 3_600_000],
    ] as const) {
      server.answer = () => ({ kind: 'addresses', addresses: [V4], ttl })
      const clock = new ManualClock()
      const resolver = resolverFor(server, clock)
      server.questions.length = 0
      await resolver.lookup('api.test')
      clock.advance(keptMs - 1)
      await resolver.lookup('api.test')
      assert.equal(server.questions.length, 2)
      clock.advance(1)
      await resolver.lookup('api.test')
      assert.equal(server.questions.length, 4)
    }
  })

  it('gives the addresses of one family when the other has none or fails', async () => {
    await using server = await DnsServer.start()
    const none: DnsAnswer = { kind: 'addresses', addresses: [], ttl: 60 }
    for (const other of [none, { kind: 'failure' }, { kind: 'silence' }] as const) {
      server.answer = (_, family) => (family === 4 ? both : other)
      const resolver = resolverFor(server, new ManualClock())
      assert.deepEqual(await resolver.lookup('four.test'), [V4])
      server.answer = (_, family) => (family === 6 ? both : other)
      assert.deepEqual(await resolver.lookup('six.test'), [V6])
      resolver.close()
    }
  })

  it('waits a little for the slower family', async () => {
    await using server = await DnsServer.start()
    for (const slow of [4, 6]) {
      server.answer = async (_, family) => {
        if (family === slow) await sleep(20)
        return both
      }
      const resolver = resolverFor(server, new ManualClock())
      assert.deepEqual(await resolver.lookup('api.test'), [V4, V6])
    }
  })

  it('asks once however many want to know', async () => {
    await using server = await DnsServer.start()
    server.answer = () => both
    const resolver = resolverFor(server, new ManualClock())
    const all = await Promise.all(
      Array.from({ length: 50 }, () => resolver.lookup('api.test')),
    )
    for (const addresses of all) assert.deepEqual(addresses, [V4, V6])
    assert.equal(server.questions.length, 2)
  })

  it('gives a stale answer while the server is broken, asking every 2 seconds', async () => {
    await using server = await DnsServer.start()
    server.answer = () => both
    const clock = new ManualClock()
    const resolver = resolverFor(server, clock, { staleMs: 100_000 })
    await resolver.lookup('api.test')
    server.answer = () => ({ kind: 'failure' })
    server.questions.length = 0

    clock.advance(60_000)
    assert.deepEqual(await resolver.lookup('api.test'), [V4, V6])
    const asked = server.questions.length
    assert.ok(asked >= 2)
    clock.advance(1_999)
    assert.deepEqual(await resolver.lookup('api.test'), [V4, V6])
    assert.equal(server.questions.length, asked)
    clock.advance(1)
    assert.deepEqual(await resolver.lookup('api.test'), [V4, V6])
    assert.ok(server.questions.length > asked)

    clock.advance(98_000)
    await assert.rejects(resolver.lookup('api.test'), refusing(/DNS server failed/))

    server.answer = () => ({ kind: 'addresses', addresses: ['192.0.2.99'], ttl: 60 })
    clock.advance(2_000)
    assert.deepEqual(await resolver.lookup('api.test'), ['192.0.2.99'])
  })

  it('remembers for 2 seconds that a name does not resolve', async () => {
    await using server = await DnsServer.start()
    const clock = new ManualClock()
    const resolver = resolverFor(server, clock)
    await assert.rejects(resolver.lookup('no.test'), refusing(/no\.test .*no such name/))
    const asked = server.questions.length
    clock.advance(1_999)
    await assert.rejects(resolver.lookup('no.test'), refusing(/no such name/))
    assert.equal(server.questions.length, asked)
    clock.advance(1)
    server.answer = () => both
    assert.deepEqual(await resolver.lookup('no.test'), [V4, V6])
  })

  it('says in plain words why a name did not resolve', async () => {
    await using server = await DnsServer.start()
    const reasons: readonly (readonly [DnsAnswer, RegExp])[] = [
      [{ kind: 'no-such-name' }, /no such name/],
      [{ kind: 'failure' }, /the DNS server failed/],
      [{ kind: 'refused' }, /the DNS server refused/],
      [{ kind: 'addresses', addresses: [], ttl: 60 }, /has no address/],
      [{ kind: 'silence' }, /no answer in time/],
      [{ kind: 'garbage' }, /no answer in time|nonsense/],
    ]
    const none: DnsAnswer = { kind: 'addresses', addresses: [], ttl: 60 }
    server.answer = (_, family) => (family === 4 ? none : { kind: 'failure' })
    const mixed = resolverFor(server, new ManualClock()).lookup('a.test')
    await assert.rejects(mixed, refusing(/the DNS server failed/))
    for (const [answer, reason] of reasons) {
      server.answer = () => answer
      // What answers is waited for, however busy this machine is.
      const isMute = answer.kind === 'silence' || answer.kind === 'garbage'
      const patience = isMute ? { timeoutMs: 60 } : {}
      const resolver = resolverFor(server, new ManualClock(), patience)
      await assert.rejects(resolver.lookup('a.test'), refusing(reason), answer.kind)
      resolver.close()
    }
  })

  it('forgets the name that was asked for least recently', async () => {
    await using server = await DnsServer.start()
    server.answer = () => both
    const resolver = resolverFor(server, new ManualClock(), { maxNames: 2 })
    for (const name of ['a.test', 'b.test', 'a.test', 'c.test'])
      await resolver.lookup(name)
    server.questions.length = 0
    await resolver.lookup('a.test')
    assert.equal(server.questions.length, 0)
    await resolver.lookup('b.test')
    assert.equal(server.questions.length, 2)
  })

  it('refuses to ask for more names at once than it may remember', async () => {
    await using server = await DnsServer.start()
    server.answer = () => ({ kind: 'silence' })
    const resolver = resolverFor(server, new ManualClock(), { maxNames: 2 })
    const waiting = ['a.test', 'b.test'].map((name) =>
      assert.rejects(resolver.lookup(name), refusing(/cancelled/)),
    )
    await assert.rejects(resolver.lookup('c.test'), refusing(/too many/))
    resolver.close()
    await Promise.all(waiting)
  })

  it('without servers asks the system, hosts file included', async () => {
    const resolver = new Resolver({
      servers: [],
      staleMs: 0,
      timeoutMs: 5_000,
      maxNames: 10,
      clock: new ManualClock(),
    })
    const addresses = await resolver.lookup('localhost')
    assert.ok(addresses.includes('127.0.0.1') || addresses.includes('::1'))
    await assert.rejects(
      resolver.lookup('a..test'),
      refusing(/a\.\.test did not resolve/),
    )
  })

  it('does not start with servers that are no addresses', () => {
    const clock = new ManualClock()
    const options = {
      servers: ['dns.test'],
      staleMs: 0,
      timeoutMs: 1,
      maxNames: 1,
      clock,
    }
    assert.throws(() => new Resolver(options), { code: 'YORI_CONFIG_INVALID' })
  })
})
