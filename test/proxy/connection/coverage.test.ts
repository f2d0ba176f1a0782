/** Connections of every kind: each is counted once, as exactly one thing, and all add up. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ConnectionOptions } from 'node:tls'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { parseSocketAddress } from '../../../src/core/address.js'
import type { SocketAddress } from '../../../src/core/address.js'
import { openReader } from '../../../src/audit/queries.js'
import type { CoverageReport } from '../../../src/audit/coverage-queries.js'
import { systemClock } from '../../../src/core/clock.js'
import type { Destination } from '../../../src/net/original-destination.js'
import {
  ConnectRefused,
  connectThroughProxy,
  rawTlsClient,
} from '../../support/clients.js'
import {
  browserLikeMessage,
  extension,
  hello,
  inRecords,
  sni,
} from '../../support/hello-builder.js'
import { startOrigin } from '../../support/origins.js'
import { ask, certificate, get, NAME, originCa, until } from '../../support/proxied.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

const CERTIFICATE_NAME = 'api.mistral.ai'
const EXEMPT = '127.0.0.2'
const PINNING = '127.0.0.3'
const NOBODY: SocketAddress = { address: '127.0.0.1', port: 1 }
const WRONG_CA = new TestCa('Somebody else').certificatePem

const CONFIG = {
  endpoints: [
    { domain: NAME },
    { domain: CERTIFICATE_NAME },
    { domain: 'api.anthropic.com', enabled: false },
    { domain: 'claude.ai', route: 'tunnel' },
    { domain: 'chatgpt.com', route: 'refuse' },
    { domain: 'never.api.openai.com' },
    { domain: 'llm.corp.example' },
  ],
  intercept: { never: ['never.api.openai.com'], exempt_devices: [EXEMPT] },
  access: { ports: [443] },
  timeouts: { client_hello: 0.2, first_bytes: 0.2 },
}

/** What clients do, one connection each, and what it is counted as. */
class Clients {
  readonly #yori: Yori
  readonly expected: [coverage: string, nameClass: string][] = []

  constructor(yori: Yori) {
    this.#yori = yori
  }

  /** A connection is over on our side, too, when its row is there. */
  async #counted(coverage: string, nameClass: string): Promise<void> {
    this.expected.push([coverage, nameClass])
    const all = this.expected.length
    await until(async () => (await this.#yori.rows('connections')).length >= all)
  }

  /** One request by TLS, or one connection that does not get that far. */
  async tls(
    coverage: string,
    nameClass: string,
    options: ConnectionOptions & { readonly from?: string },
  ): Promise<void> {
    const { from, ...tls } = options
    const raw = connectTcp({
      host: '127.0.0.1',
      port: this.#yori.port,
      ...(from === undefined ? {} : { localAddress: from }),
    })
    raw.on('error', () => undefined)
    const ca = [this.#yori.rootPem, originCa.certificatePem]
    const rest = { ca, checkServerIdentity: () => undefined, ...tls }
    await rawTlsClient({ ...rest, socket: raw })
      .then(async (socket) => {
        const request = `GET /v1/models HTTP/1.1\r\nHost: ${tls.servername}\r\n\r\n`
        await ask(socket, request).catch(() => undefined)
        socket.destroy()
      })
      .catch(() => undefined)
    raw.destroy()
    await this.#counted(coverage, nameClass)
  }

  /** Bytes, and whatever is answered; ended by us when the other side waits. */
  async bytes(
    coverage: string,
    nameClass: string,
    bytes: string | Buffer,
    arrived?: () => boolean,
  ): Promise<void> {
    const raw = connectTcp({ host: '127.0.0.1', port: this.#yori.port })
    raw.on('error', () => undefined)
    await once(raw, 'connect')
    raw.write(bytes)
    if (arrived === undefined) await Promise.race([once(raw, 'data'), once(raw, 'close')])
    else await until(arrived)
    raw.destroy()
    await this.#counted(coverage, nameClass)
  }

  async gone(coverage: string, nameClass: string): Promise<void> {
    const raw = connectTcp({ host: '127.0.0.1', port: this.#yori.port })
    await once(raw, 'connect')
    raw.destroy()
    await this.#counted(coverage, nameClass)
  }

  async connect(
    coverage: string,
    nameClass: string,
    target: { host: string; port: number },
    then: (socket: Socket) => Promise<void> = async () => undefined,
  ): Promise<void> {
    try {
      const socket = await connectThroughProxy(this.#yori.port, target.host, target.port)
      socket.on('error', () => undefined)
      await then(socket)
      socket.destroy()
    } catch (error) {
      assert.ok(error instanceof ConnectRefused)
    }
    await this.#counted(coverage, nameClass)
  }
}

function tally(entries: readonly (readonly [string, string])[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const entry of entries) {
    const key = entry.join(' ')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function reportOf(yori: Yori): CoverageReport {
  using reader = openReader(yori.database)
  return reader.coverage({ nowMs: systemClock.now(), zone: undefined }, 2)
}

describe('coverage of connections', () => {
  it('counts each redirected connection once, and the counts add up', async () => {
    await using origin = await startOrigin({ certificate })
    await using wanting = await startOrigin({
      certificate: originCa.issue({ names: [CERTIFICATE_NAME] }),
      tls: { requestCert: true, rejectUnauthorized: true },
    })
    const there = parseSocketAddress(origin.address) as SocketAddress
    let destination: Destination = { kind: 'original', address: there }
    await using yori = await Yori.start({
      origins: { [NAME]: origin, [CERTIFICATE_NAME]: wanting },
      trust: [originCa],
      config: CONFIG,
      destination: () => destination,
    })
    const clients = new Clients(yori)
    const wrong = { ca: WRONG_CA }

    await clients.tls('inspected', NAME, { servername: NAME })
    await clients.tls('inspected', NAME, {
      servername: NAME,
      ALPNProtocols: ['http/1.1'],
    })
    await clients.tls('tunnel-not-endpoint', '(other)', { servername: 'www.example.org' })
    await clients.tls('tunnel-exempt', NAME, { servername: NAME, from: EXEMPT })
    const never = 'never.api.openai.com'
    await clients.tls('tunnel-never', never, { servername: never })
    const off = 'api.anthropic.com'
    await clients.tls('tunnel-endpoint-off', off, { servername: off })
    await clients.tls('tunnel-endpoint-off', 'claude.ai', { servername: 'claude.ai' })
    await clients.tls('refused', 'chatgpt.com', { servername: 'chatgpt.com' })
    const unsigned = 'llm.corp.example'
    await clients.tls('tunnel-ca-unusable', unsigned, { servername: unsigned })
    await clients.tls('tunnel-no-sni', '(none)', { servername: '' })
    const another = { servername: NAME, ALPNProtocols: ['acme-tls/1'] }
    await clients.tls('tunnel-alpn', NAME, another)

    const asAddress = hello(sni('203.0.113.9'))
    await clients.bytes('tunnel-ip-sni', '(address)', asAddress)
    const hiding = inRecords(browserLikeMessage('public.example.net'))
    await clients.bytes('tunnel-ech', '(other)', hiding)
    const hidden = inRecords(browserLikeMessage('cloudflare-ech.com'))
    await clients.bytes('tunnel-ech', '(hidden)', hidden)
    const esni = hello(extension(0xffce, [0, 0]))
    await clients.bytes('tunnel-ech', '(hidden)', esni)
    await clients.bytes('failed', NAME, inRecords(browserLikeMessage(NAME)))
    await clients.bytes('tunnel-not-tls', '(none)', 'SSH-2.0-test\r\n')
    const { accepted } = origin
    const begun = hiding.subarray(0, 40)
    await clients.bytes(
      'tunnel-hello-timeout',
      '(none)',
      begun,
      () => origin.accepted > accepted,
    )
    await clients.gone('failed', '(none)')

    // No root on the device: its first connection fails, then it passes untouched.
    const stranger = { servername: NAME, from: '127.0.0.4', ...wrong }
    await clients.tls('failed', NAME, stranger)
    await clients.tls('failed', NAME, stranger)
    await clients.tls('tunnel-not-trusted', NAME, stranger)
    // One app of a device that has the root pins.
    await clients.tls('inspected', NAME, { servername: NAME, from: PINNING })
    const pinning = { servername: NAME, from: PINNING, maxVersion: 'TLSv1.2', ...wrong }
    await clients.tls('failed', NAME, pinning as ConnectionOptions)
    await clients.tls('failed', NAME, pinning as ConnectionOptions)
    await clients.tls('tunnel-pinned', NAME, pinning as ConnectionOptions)
    // The provider wants a certificate of the client, which only the client has.
    const asked = { servername: CERTIFICATE_NAME }
    await clients.tls('inspected', CERTIFICATE_NAME, asked)
    await clients.tls('tunnel-client-certificate', CERTIFICATE_NAME, asked)

    destination = { kind: 'original', address: NOBODY }
    await clients.tls('failed', '(other)', { servername: 'www.example.org' })

    await check(yori, clients)
    const names = await yori.rows('connections')
    assert.deepEqual(
      [...new Set(names.map((row) => row['server_name']))].filter((name) =>
        /example\.(org|net)/.test(String(name)),
      ),
      [],
      'no name that is no endpoint is kept',
    )
  })

  it('counts each explicit and direct connection once, our own pages never', async () => {
    await using origin = await startOrigin({ certificate })
    await using yori = await Yori.start({
      origins: { [NAME]: origin, 'files.example.org': origin },
      trust: [originCa],
      config: CONFIG,
    })
    const clients = new Clients(yori)
    const other = { host: 'files.example.org', port: 443 }
    const llm = { host: NAME, port: 443 }
    const request = (target: string, host: string): string =>
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    const health = connectTcp({ host: '127.0.0.1', port: yori.port })
    health.resume()
    health.end(request('/health', 'localhost'))
    await once(health, 'close')

    const within = (servername: string) => async (socket: Socket) => {
      const options = { servername, ca: [yori.rootPem, originCa.certificatePem] }
      const tls = await rawTlsClient({
        ...options,
        socket,
        checkServerIdentity: () => undefined,
      })
      await ask(tls, get('/v1/models')).catch(() => undefined)
      tls.destroy()
    }
    await clients.connect('inspected', NAME, llm, within(NAME))
    await clients.connect('tunnel-not-endpoint', '(other)', other, within('a.example'))
    // A CONNECT names whom it wants: what the hello inside may hide does not matter.
    const hidden = inRecords(browserLikeMessage('public.example.net'))
    await clients.connect('tunnel-not-endpoint', '(other)', other, async (socket) => {
      socket.write(hidden)
      await Promise.race([once(socket, 'data'), once(socket, 'close')])
    })
    await clients.connect('tunnel-ech', '(other)', llm, async (socket) => {
      socket.write(hidden)
      await Promise.race([once(socket, 'data'), once(socket, 'close')])
    })
    await clients.connect('failed', NAME, llm)
    await clients.connect('refused', '(none)', { host: 'some.test', port: 25 })
    await clients.connect('refused', '(none)', { host: '10.0.0.1', port: 443 })
    await clients.bytes('inspected', NAME, request('/v1/models', NAME))
    await clients.bytes('refused', '(none)', request('/', 'stranger.example'))
    await clients.bytes('failed', '(none)', 'GET / HTTP/1.1\r\nbroken\r\n\r\n')
    await clients.bytes('failed', '(none)', '\x00\x01\x02')
    await check(yori, clients)
  })

  it('counts who comes when there is no room', async () => {
    await using yori = await Yori.start({
      config: { limits: { connections_per_client: 2 } },
    })
    const open = [0, 1, 2, 3, 4].map(() => {
      const socket = connectTcp({ host: '127.0.0.1', port: yori.port })
      socket.on('error', () => undefined)
      return socket
    })
    await until(async () => (await yori.rows('connections')).length === 3)
    for (const socket of open) socket.destroy()
    const report = reportOf(yori)
    assert.deepEqual(report.reasons, [
      { group: 'refused', reason: 'YORI_TOO_MANY_CONNECTIONS', count: 3 },
    ])
  })
})

/** The rows, the counts, and every list of the report say the same. */
async function check(yori: Yori, clients: Clients): Promise<void> {
  const rows = await yori.rows('connections')
  const seen = rows.map(
    (row) => [String(row['coverage']), String(row['name_class'])] as const,
  )
  assert.deepEqual(tally(seen), tally(clients.expected))
  const report = reportOf(yori)
  const { total, inspected, tunnelled, refused, failed } = report.all
  assert.equal(total, clients.expected.length)
  assert.equal(inspected + tunnelled + refused + failed, total)
  const count = (of: (coverage: string) => boolean): number =>
    clients.expected.filter(([coverage]) => of(coverage)).length
  assert.equal(
    inspected,
    count((coverage) => coverage === 'inspected'),
  )
  assert.equal(
    tunnelled,
    count((coverage) => coverage.startsWith('tunnel-')),
  )
  assert.equal(
    refused,
    count((coverage) => coverage === 'refused'),
  )
  const sum = (parts: readonly { readonly total: number }[]): number =>
    parts.reduce((all, part) => all + part.total, 0)
  assert.equal(sum(report.devices), total)
  assert.equal(sum(report.names), total)
  assert.equal(
    report.reasons.reduce((all, part) => all + part.count, 0),
    total,
  )
  assert.equal(report.uncounted, 0)
  const unexplained = rows.filter(
    (row) => row['coverage'] === 'failed' && row['code'] === null,
  )
  assert.deepEqual(unexplained, [], 'what failed says why')
}
