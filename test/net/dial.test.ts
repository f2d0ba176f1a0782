import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { Prefixes } from '../../src/core/address.js'
import type { YoriError } from '../../src/core/errors.js'
import { Dialer } from '../../src/net/dial.js'
import type { DialerOptions } from '../../src/net/dial.js'
import { startRawOrigin } from '../support/origins.js'

function dialer(options: Partial<DialerOptions> = {}): Dialer {
  return new Dialer({
    overrides: new Map(),
    lookup: async () => [],
    isOwnAddress: () => false,
    allowed: new Prefixes([]),
    connectTimeoutMs: 2000,
    keepAliveMs: 60_000,
    ...options,
  })
}

const answering = (...addresses: string[]): Partial<DialerOptions> => ({
  lookup: async () => addresses,
})

const HOST = { host: 'some.test', port: 443 }

describe('the guard', () => {
  // RFC 6890, RFC 6052, RFC 3056, RFC 4291 §2.5.5.2; the first and last of each range.
  const refused: readonly string[] = [
    ...['0.0.0.0', '0.255.255.255', '10.0.0.1', '10.255.255.255'],
    ...['100.64.0.0', '100.127.255.255', '127.0.0.1', '127.255.255.254'],
    ...['169.254.0.1', '169.254.169.254', '172.16.0.0', '172.31.255.255'],
    ...['192.0.0.0', '192.0.0.255', '192.168.0.0', '192.168.255.255'],
    ...['198.18.0.0', '198.19.255.255', '224.0.0.1', '239.255.255.255'],
    ...['240.0.0.1', '255.255.255.255'],
    ...['::', '::1', 'fc00::1', 'fdff:ffff::1', 'fe80::1', 'febf::1', 'ff02::1'],
    ...['::ffff:10.0.0.1', '::ffff:7f00:1', '::ffff:192.168.1.1'],
    ...['64:ff9b::10.0.0.1', '64:ff9b::7f00:1', '64:ff9b::a9fe:a9fe'],
    ...['2002:a00:1::', '2002:7f00:1::1', '2002:c0a8:101:1::5'],
    // RFC 3879, RFC 7526, RFC 4380, RFC 4291 §2.5.5.1, RFC 6666, RFC 5180, RFC 9602.
    ...['fec0::1', 'feff::1', '192.88.99.1', '192.88.99.255', '2001:0:7f00:1::1'],
    ...['::10.0.0.1', '::808:808', '100::1', '2001:2::1', '5f00::1'],
  ]
  for (const address of refused) {
    it(`refuses ${address}, found for a name or asked for`, async () => {
      const code = { code: 'YORI_DESTINATION_REFUSED' }
      await assert.rejects(dialer(answering(address)).candidates(HOST), code)
      await assert.rejects(dialer().candidates({ host: address, port: 443 }), code)
    })
  }

  it('takes an address that the configuration names, and no other of its own', async () => {
    const written = { host: '10.0.0.1', port: 8000, plain: true, isWritten: true }
    const own = { isOwnAddress: (address: string) => address === '127.0.0.1' }
    assert.deepEqual(await dialer().candidates(written), [
      { address: '10.0.0.1', port: 8000 },
    ])
    const local = { host: 'localhost', port: 8000, isWritten: true }
    assert.deepEqual(await dialer(own).candidates(local), [
      { address: '127.0.0.1', port: 8000 },
      { address: '::1', port: 8000 },
    ])
    const ourselves = dialer({ isOwnAddress: () => true, ownPorts: () => [8000] })
    await assert.rejects(ourselves.candidates(local), { code: 'YORI_UPSTREAM_LOOP' })
  })

  const open: readonly string[] = [
    ...['1.0.0.0', '9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0'],
    ...['126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0'],
    ...['172.15.255.255', '172.32.0.0', '192.0.1.0', '192.167.255.255', '192.169.0.0'],
    ...['198.17.255.255', '198.20.0.0', '223.255.255.255'],
    ...['2001:db8::1', '2606:4700::1', '64:ff9b::808:808', '2002:808:808::1'],
  ]
  for (const address of open) {
    it(`lets ${address} pass`, async () => {
      const found = await dialer(answering(address)).candidates(HOST)
      assert.deepEqual(found, [{ address, port: 443 }])
    })
  }

  it('lets pass what the configuration allows, and nothing beside it', async () => {
    const allowed = new Prefixes(['192.168.5.0/24', 'fd00:1::/32'])
    const one = dialer({
      ...answering('192.168.5.9', '192.168.6.9', 'fd00:1::7'),
      allowed,
    })
    const found = await one.candidates(HOST)
    assert.deepEqual(
      found.map(({ address }) => address),
      ['192.168.5.9', 'fd00:1::7'],
    )
  })

  it('never gives an address of our own, unless it is allowed and we do not listen there', async () => {
    const own = { isOwnAddress: (address: string) => address === '203.0.113.1' }
    const code = { code: 'YORI_UPSTREAM_LOOP' }
    await assert.rejects(
      dialer({ ...own, ...answering('203.0.113.1') }).candidates(HOST),
      code,
    )
    const allowed = new Prefixes(['203.0.113.1'])
    const open = dialer({
      ...own,
      ...answering('203.0.113.1'),
      allowed,
      ownPorts: () => [8443],
    })
    assert.equal((await open.candidates(HOST)).length, 1)
    await assert.rejects(open.candidates({ host: 'some.test', port: 8443 }), code)
  })

  it('refuses an override that leads back to where we listen', async () => {
    const circle = dialer({
      overrides: new Map([['some.test', { address: '127.0.0.1', port: 8443 }]]),
      isOwnAddress: () => true,
      ownPorts: () => [8443],
    })
    await assert.rejects(circle.candidates(HOST), { code: 'YORI_UPSTREAM_LOOP' })
  })

  it('keeps the good addresses of an answer that holds bad ones', async () => {
    const found = await dialer(answering('127.0.0.1', '192.0.2.7')).candidates(HOST)
    assert.deepEqual(found, [{ address: '192.0.2.7', port: 443 }])
  })

  it('takes an override for a name or a pattern, the name first', async () => {
    const overrides = new Map([
      ['*.test', { address: '10.0.0.1', port: 1 }],
      ['some.test', { address: '10.0.0.2', port: 2 }],
    ])
    const one = dialer({ overrides })
    assert.deepEqual(await one.candidates(HOST), [{ address: '10.0.0.2', port: 2 }])
    const other = { host: 'a.b.test', port: 443 }
    assert.deepEqual(await one.candidates(other), [{ address: '10.0.0.1', port: 1 }])
    assert.equal(one.override('test'), undefined)
  })
})

describe('a client elsewhere is told', () => {
  const range = /leads to a range that is not dialled/
  for (const [what, options, says] of [
    ['no private address', answering('10.1.2.3'), range],
    ['no address of its own range', answering('fec0::77', '192.88.99.1'), range],
    [
      'no address of ours',
      { ...answering('203.0.113.1'), isOwnAddress: () => true },
      /leads back to YORI/,
    ],
    [
      'no address that cannot be reached',
      { ...answering('127.0.0.1'), allowed: new Prefixes(['127.0.0.1']) },
      /no address of it could be reached/,
    ],
  ] as const) {
    it(`${what}, and one on this machine all of it`, async () => {
      const wanted = { host: 'some.test', port: 1 }
      await assert.rejects(dialer(options).dial(wanted), (error: YoriError) => {
        assert.match(error.toldTo(false), says)
        assert.match(error.toldTo(false), /^some\.test: [a-zA-Z ]+$/)
        assert.match(error.toldTo(true), /\d+\.\d+\.\d+\.\d+|fec0::77/)
        return true
      })
    })
  }

  it('the address that it named itself', async () => {
    const wanted = { host: '10.1.2.3', port: 443 }
    await assert.rejects(dialer().dial(wanted), (error: YoriError) => {
      assert.match(error.toldTo(false), /10\.1\.2\.3/)
      return true
    })
  })
})

describe('a dial', () => {
  it('goes to the next address when one fails', async () => {
    await using origin = await startRawOrigin((socket) => void socket.end('here'))
    const gone = await startRawOrigin(() => undefined, { host: '127.0.0.2' })
    const allowed = new Prefixes(['127.0.0.0/8'])
    await gone[Symbol.asyncDispose]()
    const one = dialer({ ...answering('127.0.0.2', '127.0.0.1'), allowed })
    const socket = await one.dial({ host: 'some.test', port: origin.port })
    assert.equal(socket.remoteAddress, '127.0.0.1')
    const ended = once(socket.resume(), 'end')
    await ended
    socket.destroy()
  })

  it('ends at our own port, also at an address that nobody knew to be ours', async () => {
    await using origin = await startRawOrigin(() => undefined)
    const known = { address: '127.0.0.1', port: origin.port }
    const loop = { code: 'YORI_UPSTREAM_LOOP' }
    const one = dialer({ ownPorts: () => [origin.port], lookup: async () => [] })
    for (const host of ['127.0.0.1', 'some.test'])
      for (const knownOnly of [true, false])
        await assert.rejects(
          one.dial({ host, port: origin.port }, { known, knownOnly }),
          loop,
          host,
        )
    const found = dialer({
      ...answering('127.0.0.1'),
      allowed: new Prefixes(['127.0.0.1']),
      ownPorts: () => [origin.port],
    })
    await assert.rejects(found.dial({ host: 'some.test', port: origin.port }), loop)
    // Another program of this machine is none of our business.
    const other = dialer({ ownPorts: () => [1], lookup: async () => [] })
    const wanted = { host: '127.0.0.1', port: origin.port }
    ;(await other.dial(wanted, { known, knownOnly: true })).destroy()
  })

  it('takes the address the client had dialled first, and only that for a tunnel', async () => {
    await using origin = await startRawOrigin(() => undefined)
    const known = { address: '127.0.0.1', port: origin.port }
    let asked = 0
    const one = dialer({
      lookup: async () => {
        asked++
        return ['127.0.0.1']
      },
      allowed: new Prefixes(['127.0.0.1']),
    })
    const socket = await one.dial(HOST, { known })
    assert.equal(asked, 0)
    socket.destroy()
    const dead = { address: '127.0.0.1', port: 1 }
    const wanted = { host: 'some.test', port: origin.port }
    ;(await one.dial(wanted, { known: dead })).destroy()
    assert.equal(asked, 1)
    await assert.rejects(one.dial(wanted, { known: dead, knownOnly: true }), {
      code: 'YORI_UPSTREAM_UNREACHABLE',
    })
    assert.equal(asked, 1)
  })

  it('says what it did not reach', async () => {
    const one = dialer({
      ...answering('127.0.0.1'),
      allowed: new Prefixes(['127.0.0.1']),
    })
    await assert.rejects(one.dial({ host: 'some.test', port: 1 }), (error: Error) => {
      assert.match(error.message, /127\.0\.0\.1:1: .*ECONNREFUSED/)
      return true
    })
    await assert.rejects(dialer().dial(HOST), { code: 'YORI_UPSTREAM_UNRESOLVED' })
  })
})

/** As behind a firewall that drops: an address that never answers. RFC 5737, RFC 3849. */
const SILENT = ['192.0.2.1', '2001:db8::1']

/** Attempts by address; those to a silent one stay open for ever and leave no machine. */
function watched(port: number) {
  const dialled: string[] = []
  const silent: Socket[] = []
  const open = ({ address }: { address: string }): Socket => {
    dialled.push(address)
    if (!SILENT.includes(address)) return connect({ host: address, port })
    const socket = new Socket()
    silent.push(socket)
    return socket
  }
  return { dialled, silent, open }
}

describe('addresses that are raced (RFC 8305)', () => {
  const target = (port: number) => ({ host: 'some.test', port })
  const racer = (...addresses: string[]) =>
    dialer({ ...answering(...addresses), allowed: new Prefixes(['127.0.0.0/8']) })

  it('do not wait for a family that is dead', async () => {
    await using origin = await startRawOrigin(() => undefined)
    const { dialled, silent, open } = watched(origin.port)
    const one = racer('2001:db8::1', '2001:db8::1', '127.0.0.1')
    const socket = await one.dial(target(origin.port), { open })
    assert.equal(socket.remoteAddress, '127.0.0.1')
    // The families take turns; whoever lost the race is let go.
    assert.deepEqual(dialled, ['2001:db8::1', '127.0.0.1'])
    assert.ok(silent.every(({ destroyed }) => destroyed))
    socket.destroy()
  })

  it('are not waited for when the one before has failed', async () => {
    await using origin = await startRawOrigin(() => undefined)
    const gone = await startRawOrigin(() => undefined, { host: '127.0.0.3' })
    await gone[Symbol.asyncDispose]()
    const dialled: string[] = []
    const open = ({ address }: { address: string }): Socket => {
      dialled.push(address)
      const host = address === '127.0.0.1' ? address : '127.0.0.3'
      return connect({ host, port: host === address ? origin.port : gone.port })
    }
    const socket = await racer('127.0.0.2', '127.0.0.3', '127.0.0.1').dial(
      target(origin.port),
      { open },
    )
    assert.deepEqual(dialled, ['127.0.0.2', '127.0.0.3', '127.0.0.1'])
    socket.destroy()
  })

  it('join the one that the client had dialled when that is silent', async () => {
    await using origin = await startRawOrigin(() => undefined)
    const { dialled, silent, open } = watched(origin.port)
    const known = { address: '192.0.2.1', port: origin.port }
    const one = racer('192.0.2.1', '127.0.0.1')
    const socket = await one.dial(target(origin.port), { known, open })
    assert.equal(socket.remoteAddress, '127.0.0.1')
    // It is not dialled a second time.
    assert.deepEqual(dialled, ['192.0.2.1', '127.0.0.1'])
    assert.ok(silent.every(({ destroyed }) => destroyed))
    socket.destroy()
  })

  it('say when none connected in time, and leave none open', async () => {
    const { silent, open } = watched(1)
    const one = dialer({
      ...answering('192.0.2.1', '2001:db8::1'),
      connectTimeoutMs: 300,
    })
    await assert.rejects(one.dial(HOST, { open }), (error: YoriError) => {
      assert.equal(error.code, 'YORI_UPSTREAM_CONNECT_TIMEOUT')
      assert.match(error.message, /192\.0\.2\.1:443, \[2001:db8::1\]:443 in 300 ms/)
      return true
    })
    assert.equal(silent.length, 2)
    assert.ok(silent.every(({ destroyed }) => destroyed))
  })

  it('say why there are none beside the one that the client had dialled', async () => {
    const known = { address: '127.0.0.1', port: 1 }
    const refused = answering('10.0.0.1')
    await assert.rejects(dialer(refused).dial(HOST, { known }), {
      code: 'YORI_DESTINATION_REFUSED',
    })
    await assert.rejects(dialer().dial(HOST, { known }), {
      code: 'YORI_UPSTREAM_UNRESOLVED',
    })
  })
})
