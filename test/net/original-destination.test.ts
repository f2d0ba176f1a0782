import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { Prefixes } from '../../src/core/address.js'
import { silentLog, type Log } from '../../src/core/log.js'
import type { Kernel, KernelAnswer } from '../../src/net/original-destination-kernel.js'
import {
  linuxDestination,
  readSockaddr,
} from '../../src/net/original-destination-linux.js'
import {
  decodeNatlook,
  DIOCNATLOOK,
  encodeNatlook,
} from '../../src/net/original-destination-natlook.js'
import { pfDestination } from '../../src/net/original-destination-pf.js'
import { findInStates } from '../../src/net/original-destination-states.js'
import {
  openOriginalDestination,
  type OriginalDestinationOptions,
} from '../../src/net/original-destination.js'
import { TcpServer } from '../support/tcp.js'
import { needs, skip } from '../support/needs.js'

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s+/g, ''), 'hex')

const v4Ends = {
  client: { address: '192.168.1.50', port: 51_234 },
  local: { address: '127.0.0.1', port: 8443 },
}
const v6Ends = {
  client: { address: '2001:db8:1::50', port: 51_235 },
  local: { address: 'fd79:6f72:6900::1', port: 8443 },
}
const v4Original = { address: '203.0.113.7', port: 443 }
const v6Original = { address: '2001:db8:2::42', port: 443 }

/** Only what the askers read of a socket: nothing, for those under test here. */
const nobody = {} as Socket

function kernelThat(answer: Partial<Kernel>): Kernel {
  const error: KernelAnswer = { kind: 'error', errno: 9 }
  return {
    getOption: () => error,
    setTransparent: () => 'refused',
    pfControl: () => error,
    ...answer,
  }
}

describe('a pf look-up', () => {
  // Laid out by a C compiler from the declaration of struct pfioc_natlook in net/pfvar.h.
  const zeroes = (bytes: number): string => '00'.repeat(bytes)
  const v4Question = hex(`c0a80132 ${zeroes(12)} 7f000001 ${zeroes(12)} ${zeroes(32)}
    c822 20fb 0000 0000 02 06 02 00`)
  const v4Answer = hex(`c0a80132 ${zeroes(12)} 7f000001 ${zeroes(12)}
    c0a80132 ${zeroes(12)} cb007107 ${zeroes(12)} c822 20fb c822 01bb 02 06 02 00`)
  const v6Question =
    hex(`20010db8000100000000000000000050 fd796f72690000000000000000000001
    ${zeroes(32)} c823 20fb 0000 0000 1c 06 02 00`)
  const v6Answer = hex(`20010db8000100000000000000000050 fd796f72690000000000000000000001
    20010db8000100000000000000000050 20010db8000200000000000000000042
    c823 20fb c823 01bb 1c 06 02 00`)

  it('asks and is answered in the 76 bytes of the kernel', () => {
    assert.deepEqual(encodeNatlook(v4Ends), v4Question)
    assert.deepEqual(encodeNatlook(v6Ends), v6Question)
    assert.deepEqual(decodeNatlook(v4Answer), v4Original)
    assert.deepEqual(decodeNatlook(v6Answer), v6Original)
  })

  it('gives nothing for ends of two families or for bytes that are no answer', () => {
    assert.equal(encodeNatlook({ client: v4Ends.client, local: v6Ends.local }), undefined)
    assert.equal(decodeNatlook(v4Answer.subarray(1)), undefined)
    assert.equal(decodeNatlook(v4Question), undefined)
    const family = Buffer.from(v4Answer)
    family[72] = 30
    assert.equal(decodeNatlook(family), undefined)
  })

  it('is one ioctl, whose number says direction, size and group', async () => {
    const asked: unknown[] = []
    const kernel = kernelThat({
      pfControl: (request, bytes) => {
        asked.push([request, bytes.toString('hex')])
        return { kind: 'bytes', bytes: v4Answer }
      },
    })
    const found = await pfDestination(kernel, silentLog)(nobody, v4Ends)
    assert.deepEqual(found, { kind: 'original', address: v4Original })
    assert.deepEqual(asked, [[DIOCNATLOOK, v4Question.toString('hex')]])
    // sys/ioccom.h: IOC_INOUT, 13 bits of length, group 'D', number 23.
    const number = 0xc0000000 + (76 << 16) + ('D'.charCodeAt(0) << 8) + 23
    assert.equal(DIOCNATLOOK, number)
  })

  it('without a state means that the client dialled us', async () => {
    const kernel = kernelThat({ pfControl: () => ({ kind: 'error', errno: 2 }) })
    const found = await pfDestination(kernel, silentLog)(nobody, v4Ends)
    assert.deepEqual(found, { kind: 'own' })
  })

  it('that is not permitted, or not possible, reads the table of states', async () => {
    const line = 'all tcp 127.0.0.1:8443 (203.0.113.7:443) <- 192.168.1.50:51234  A:B\n'
    const denied = kernelThat({ pfControl: () => ({ kind: 'error', errno: 13 }) })
    for (const kernel of [denied, undefined]) {
      const ask = pfDestination(kernel, silentLog, () => Promise.resolve(line))
      assert.deepEqual(await ask(nobody, v4Ends), {
        kind: 'original',
        address: v4Original,
      })
    }
  })

  it('shares one run of pfctl among those who wait, begun after they came', async () => {
    let runs = 0
    const answers: ((text: string) => void)[] = []
    const ask = pfDestination(undefined, silentLog, () => {
      runs++
      return new Promise((resolve) => answers.push(resolve))
    })
    const line = 'all tcp 127.0.0.1:8443 (203.0.113.7:443) <- 192.168.1.50:51234  A:B'
    const first = ask(nobody, v4Ends)
    await new Promise(setImmediate)
    assert.equal(runs, 1)
    const later = [ask(nobody, v4Ends), ask(nobody, v4Ends), ask(nobody, v4Ends)]
    await new Promise(setImmediate)
    assert.equal(runs, 1)
    answers[0]?.('')
    assert.deepEqual(await first, { kind: 'unknown' })
    await new Promise(setImmediate)
    assert.equal(runs, 2)
    answers[1]?.(line)
    for (const found of later) assert.equal((await found).kind, 'original')
  })

  it('that fails in every way is unknown, with one warning', async () => {
    let warnings = 0
    const log: Log = { ...silentLog, warn: () => warnings++ }
    const ask = pfDestination(undefined, log, () => Promise.reject(new Error('no pfctl')))
    assert.deepEqual(await ask(nobody, v4Ends), { kind: 'unknown' })
    assert.deepEqual(await ask(nobody, v6Ends), { kind: 'unknown' })
    assert.equal(warnings, 1)
  })
})

describe('the table of pf states', () => {
  const table = `all tcp 192.168.1.1:22 <- 192.168.1.50:50000       ESTABLISHED:ESTABLISHED
all udp 127.0.0.1:8443 (203.0.113.9:443) <- 192.168.1.50:51234       MULTIPLE:MULTIPLE
em1 tcp 127.0.0.1:8443 (203.0.113.9:443) <- 192.168.1.50:5123       ESTABLISHED:ESTABLISHED
em1 tcp 127.0.0.1:8444 (203.0.113.9:443) <- 192.168.1.50:51234       ESTABLISHED:ESTABLISHED
em1 tcp 127.0.0.1:8443 (203.0.113.7:443) <- 192.168.1.50:51234       SYN_SENT:ESTABLISHED
em1 tcp fd79:6f72:6900::1[8443] (2001:db8:2::42[443]) <- 2001:db8:1::50[51235]       ESTABLISHED:ESTABLISHED
em0 tcp 198.51.100.1:61000 (192.168.1.50:51234) -> 203.0.113.7:443       ESTABLISHED:ESTABLISHED
em1 tcp 127.0.0.1:8443 <- 192.168.1.60:40000       ESTABLISHED:ESTABLISHED
em1 tcp 127.0.0.1:8443 (nonsense) <- 192.168.1.70:40000       ESTABLISHED:ESTABLISHED
`
  const from = (address: string, port: number) => ({
    ...v4Ends,
    client: { address, port },
  })

  it('gives what was replaced, of exactly that connection', () => {
    assert.deepEqual(findInStates(table, v4Ends), {
      kind: 'original',
      address: v4Original,
    })
    assert.deepEqual(findInStates(table, v6Ends), {
      kind: 'original',
      address: v6Original,
    })
  })

  it('tells a connection to us from one that is not there', () => {
    assert.deepEqual(findInStates(table, from('192.168.1.60', 40_000)), { kind: 'own' })
    for (const ends of [from('192.168.1.51', 51_234), from('192.168.1.70', 40_000)])
      assert.deepEqual(findInStates(table, ends), { kind: 'unknown' })
    assert.deepEqual(findInStates('', v4Ends), { kind: 'unknown' })
  })
})

describe('a netfilter look-up', () => {
  // struct sockaddr_in and sockaddr_in6 of Linux on a little-endian machine, as bytes.
  const little = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1
  const family = (value: number): string =>
    little
      ? `${value.toString(16).padStart(2, '0')}00`
      : `00${value.toString(16).padStart(2, '0')}`
  const v4Bytes = hex(`${family(2)} 01bb cb007107 0000000000000000`)
  const v6Bytes = hex(
    `${family(10)} 01bb 00000000 20010db8000200000000000000000042 00000000`,
  )

  it('reads both kinds of socket address', () => {
    assert.deepEqual(readSockaddr(v4Bytes), v4Original)
    assert.deepEqual(readSockaddr(v6Bytes), v6Original)
    assert.equal(readSockaddr(v6Bytes.subarray(0, 20)), undefined)
    assert.equal(readSockaddr(hex(`${family(1)} 01bb cb007107`)), undefined)
    assert.equal(readSockaddr(Buffer.alloc(0)), undefined)
  })

  it('asks at the level of the client, also when it is mapped into IPv6', async () => {
    const levels: number[] = []
    const kernel = kernelThat({
      getOption: (_socket, { level, name, length }) => {
        levels.push(level)
        assert.deepEqual([name, length], [80, 28])
        return { kind: 'bytes', bytes: level === 0 ? v4Bytes : v6Bytes }
      },
    })
    const ask = linuxDestination(kernel)
    assert.deepEqual(await ask(nobody, v4Ends), { kind: 'original', address: v4Original })
    assert.deepEqual(await ask(nobody, v6Ends), { kind: 'original', address: v6Original })
    assert.deepEqual(levels, [0, 41])
  })

  it('that knows of no translation means us, any other fault is unknown', async () => {
    for (const [errno, kind] of [
      [2, 'own'],
      [92, 'own'],
      [9, 'unknown'],
      [1, 'unknown'],
    ] as const) {
      const kernel = kernelThat({ getOption: () => ({ kind: 'error', errno }) })
      assert.equal((await linuxDestination(kernel)(nobody, v4Ends)).kind, kind)
    }
  })
})

describe('the original destination', () => {
  const answering = (bytes: Buffer): Kernel =>
    kernelThat({ getOption: () => ({ kind: 'bytes', bytes }) })

  async function of(options: Partial<OriginalDestinationOptions>) {
    await using server = await TcpServer.start()
    const destination = await openOriginalDestination({
      own: new Prefixes(['127.0.0.0/8', '192.0.2.1']),
      log: silentLog,
      platform: 'linux',
      kernel: undefined,
      ...options,
    })
    const { socket } = await server.pair()
    const local = { address: '127.0.0.1', port: server.port }
    return { found: await destination.of(socket), local, destination, server }
  }
  const sockaddr = (address: readonly number[], port: number): Buffer => {
    const bytes = Buffer.alloc(16)
    bytes.set(new Uint8Array(Uint16Array.of(2).buffer), 0)
    bytes.writeUInt16BE(port, 2)
    bytes.set(address, 4)
    return bytes
  }

  it('is the foreign address that the kernel tells', async () => {
    const { found } = await of({ kernel: answering(sockaddr([203, 0, 113, 7], 443)) })
    assert.deepEqual(found, { kind: 'original', address: v4Original })
  })

  it('is us when the kernel tells one of our own addresses', async () => {
    const { found } = await of({ kernel: answering(sockaddr([192, 0, 2, 1], 443)) })
    assert.deepEqual(found, { kind: 'own' })
  })

  it('is the local address when that is not ours, with or without a kernel to ask', async () => {
    const kernel = kernelThat({ getOption: () => ({ kind: 'error', errno: 2 }) })
    const own = new Prefixes([])
    for (const options of [{ own }, { own, kernel }]) {
      const { found, local } = await of(options)
      assert.deepEqual(found, { kind: 'original', address: local })
    }
  })

  it('is unknown at one of our addresses when nobody can be asked', async () => {
    assert.deepEqual((await of({})).found, { kind: 'unknown' })
    assert.deepEqual((await of({ platform: 'darwin' })).found, { kind: 'unknown' })
    const { destination } = await of({})
    assert.deepEqual(await destination.of(nobody), { kind: 'unknown' })
  })

  it('of foreign addresses can be accepted on Linux with its kernel only', async () => {
    const { destination, server } = await of({ kernel: undefined })
    assert.match(destination.acceptForeign(server.server) ?? '', /koffi/)
    const elsewhere = await of({ platform: 'freebsd', kernel: kernelThat({}) })
    assert.match(elsewhere.destination.acceptForeign(server.server) ?? '', /freebsd/)
    const refused = await of({ kernel: kernelThat({}) })
    assert.equal(refused.destination.acceptForeign(server.server), 'refused')
    const done = await of({ kernel: kernelThat({ setTransparent: () => undefined }) })
    assert.equal(done.destination.acceptForeign(server.server), undefined)
  })

  it('of a connection on the loopback of this machine is us, asked through koffi', async function () {
    needs(this, 'Linux')
    await using server = await TcpServer.start()
    const warnings: string[] = []
    const destination = await openOriginalDestination({
      own: new Prefixes(['127.0.0.0/8']),
      log: { ...silentLog, warn: (_fields, message) => warnings.push(message) },
    })
    const [warning] = warnings
    if (warning !== undefined)
      skip(this, { what: 'koffi', brings: `npm ci with optional packages (${warning})` })
    const { socket } = await server.pair()
    assert.deepEqual(await destination.of(socket), { kind: 'own' })
    socket.destroy()
    assert.deepEqual(await destination.of(socket), { kind: 'unknown' })
  })
})
