/**
 * Clients and providers that break at every point of a connection's life, in each of four ways:
 * RST, FIN, half-close and silence. All at once against one YORI, which must go on, keep no
 * descriptor, and record each connection once with why it ended.
 */
import assert from 'node:assert/strict'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { Socket } from 'node:net'
import { ChildYori } from '../../support/child-yori.js'
import { connectThroughProxy } from '../../support/clients.js'
import { CLIENT_POINTS } from '../../support/fault-clients.js'
import { faultOrigin } from '../../support/fault-origin.js'
import { PROVIDER_POINTS, serveWhole } from '../../support/fault-providers.js'
import { startRawOrigin } from '../../support/origins.js'
import type { Origin } from '../../support/origins.js'
import { originCa } from '../../support/proxied.js'
import { FAULTS, inflict } from '../../support/wire.js'
import type { Fault } from '../../support/wire.js'
import { needs } from '../../support/needs.js'

/** The deadlines below add up to less than three seconds; the rest is for a busy machine. */
const GONE_MS = 60_000

const CONFIG = {
  endpoints: [{ domain: '*.openai.com' }],
  // All at once, from one address.
  limits: { undecided_per_client: 500 },
  upstream: { idle_timeout: 1 },
  timeouts: {
    first_bytes: 2,
    client_hello: 4,
    client_tls: 4,
    request_header: 2,
    request_body: 2,
    response_header: 2,
    response_body: 2,
    keep_alive: 0.6,
    client_read: 8,
    h2_idle: 0.6,
    tunnel_idle: 2,
    // Many handshakes at once on a busy machine take longer than one alone.
    connect: 6,
    upstream_tls: 6,
  },
}

/** Of the connection its coverage and code, then of each exchange its outcome and code. */
type Expected = Readonly<Record<Fault, string>>

/** RST may take what came before it along, or show as FIN: then the other text is right, too. */
function expected(left: string, silent: string, reset = left): Expected {
  return { rst: reset, fin: left, 'half-close': left, silence: silent }
}

const FAILED_TLS = 'failed YORI_CLIENT_TLS_FAILED'
const BODY = expected(
  'inspected - | error YORI_REQUEST_MALFORMED',
  'inspected - | error YORI_REQUEST_TIMEOUT',
  'inspected YORI_CLIENT_RESET | error YORI_CLIENT_GONE',
)
const RESPONSE = expected(
  'inspected - | error YORI_CLIENT_GONE',
  'inspected - | error YORI_UPSTREAM_TIMEOUT',
  'inspected YORI_CLIENT_RESET | error YORI_CLIENT_GONE',
)
const BETWEEN = expected(
  'inspected - | response -',
  'inspected - | response -',
  'inspected YORI_CLIENT_RESET | response -',
)

const CLIENTS: Readonly<Record<string, Expected>> = {
  'before the hello': expected(
    'failed YORI_CLIENT_GONE',
    'failed YORI_CLIENT_HELLO_TIMEOUT',
    'failed YORI_CLIENT_RESET',
  ),
  'inside the hello': expected(
    'failed YORI_CLIENT_HELLO_TIMEOUT',
    'failed YORI_CLIENT_HELLO_TIMEOUT',
    'failed YORI_CLIENT_RESET',
  ),
  'after the hello': expected(FAILED_TLS, FAILED_TLS),
  'inside the handshake': expected(FAILED_TLS, FAILED_TLS),
  // To leave then is a way of not trusting the certificate.
  'after the handshake': expected(
    FAILED_TLS,
    'inspected YORI_REQUEST_TIMEOUT',
    'failed YORI_CLIENT_RESET',
  ),
  'inside the request head': expected(
    'inspected YORI_REQUEST_MALFORMED',
    'inspected YORI_REQUEST_TIMEOUT',
    'inspected YORI_CLIENT_RESET',
  ),
  'after the head': BODY,
  'inside the body': BODY,
  'inside a chunk': BODY,
  'after the request': RESPONSE,
  'inside the response head': RESPONSE,
  'inside the response body': RESPONSE,
  'between exchanges': BETWEEN,
  'inside an HTTP/2 body': { ...RESPONSE, silence: BODY.silence },
  'inside an HTTP/2 response': RESPONSE,
  'between HTTP/2 streams': BETWEEN,
  'in a tunnel': expected(
    'tunnel-not-endpoint -',
    'tunnel-not-endpoint YORI_TUNNEL_IDLE',
    'tunnel-not-endpoint YORI_CLIENT_RESET',
  ),
}

const NO_TLS = expected(
  'inspected - | error YORI_UPSTREAM_CLOSED',
  'inspected - | error YORI_UPSTREAM_CONNECT_TIMEOUT',
)
const NO_ANSWER = expected(
  'inspected - | error YORI_UPSTREAM_CLOSED',
  'inspected - | error YORI_UPSTREAM_TIMEOUT',
)
/** There the client is the one that is waited for. */
const UPLOAD = {
  ...NO_ANSWER,
  silence: 'inspected - | error YORI_REQUEST_TIMEOUT',
}

const PROVIDERS: Readonly<Record<string, Expected>> = {
  'before the hello': NO_TLS,
  'after the hello': NO_TLS,
  'inside its own hello': NO_TLS,
  'inside the handshake': NO_TLS,
  'after the handshake': NO_ANSWER,
  'inside the request head': NO_ANSWER,
  'after the head': UPLOAD,
  'inside the body': UPLOAD,
  'after the request': NO_ANSWER,
  'inside the response head': NO_ANSWER,
  'inside the response body': NO_ANSWER,
  'between exchanges': expected(
    'inspected - | response - | response -',
    'inspected - | response - | error YORI_UPSTREAM_TIMEOUT',
  ),
  'in a tunnel': expected(
    'tunnel-not-endpoint -',
    'tunnel-not-endpoint YORI_TUNNEL_IDLE',
    'tunnel-not-endpoint YORI_UPSTREAM_RESET',
  ),
}

interface Case<R> {
  readonly point: string
  readonly fault: Fault
  readonly reach: R
  readonly id: string
  /** An endpoint, or for a tunnel a name that is none; no two cases share one. */
  readonly host: string
  readonly expected: readonly (readonly string[])[]
}

function cases<R>(
  points: Readonly<Record<string, R>>,
  table: Readonly<Record<string, Expected>>,
): Case<R>[] {
  return Object.entries(points).flatMap(([point, reach]) =>
    FAULTS.map((fault) => {
      const id = `${point} ${fault}`.toLowerCase().replaceAll(/[ /]/g, '-')
      const domain = point === 'in a tunnel' ? 'elsewhere.test' : 'openai.com'
      const row = table[point]
      assert.ok(row !== undefined, point)
      const texts = fault === 'rst' ? [row.rst, row.fin] : [row[fault]]
      return {
        point,
        fault,
        reach,
        id,
        host: `${id}.${domain}`,
        expected: texts.map((text) => text.split(' | ')),
      }
    }),
  )
}

/** Waits, within a bound, for what the system has to do by itself. */
async function soon(holds: () => boolean, what: () => string): Promise<void> {
  const deadline = performance.now() + GONE_MS
  while (!holds()) {
    assert.ok(performance.now() < deadline, what())
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** No socket is left, YORI lives, and each connection has its one record. */
async function judge(
  yori: ChildYori,
  idle: number,
  byPort: ReadonlyMap<number, Case<unknown>>,
): Promise<void> {
  await soon(
    () => yori.sockets() <= idle,
    () => `${yori.sockets() - idle} sockets are left`,
  )
  await soon(
    () => yori.rows('connections').length >= byPort.size,
    () => `${yori.rows('connections').length} records of ${byPort.size} connections`,
  )
  const wrong: string[] = []
  const connections = yori.rows('connections')
  const exchanges = yori.rows('exchanges')
  for (const [port, { point, fault, expected: right }] of byPort) {
    const own = connections.filter((row) => row['client_port'] === port)
    const ids = own.map((row) => row['connection_id'])
    const got = [
      ...own.map((row) => `${String(row['coverage'])} ${String(row['code'] ?? '-')}`),
      ...exchanges
        .filter((row) => ids.includes(row['connection_id'] ?? null))
        .map((row) => `${String(row['event_type'])} ${String(row['code'] ?? '-')}`),
    ]
    const isRight =
      own.length === 1 &&
      right.every((texts) => texts.length === got.length) &&
      got.every((text, index) => right.some((texts) => texts[index] === text))
    if (isRight) continue
    const wanted = right.map((texts) => texts.join(' | ')).join(' or ')
    wrong.push(`${point}, ${fault}: expected ${wanted}; got ${got.join(' | ')}`)
  }
  assert.deepEqual(wrong, [])
  assert.ok(yori.running, yori.cli.stderr)
  assert.deepEqual(yori.logged(50), [])
}

describe('YORI', () => {
  before(function () {
    needs(this, 'Linux') // counts descriptors in /proc
  })

  const byClient = cases(CLIENT_POINTS, CLIENTS)
  it(`outlives clients that break, in ${byClient.length} ways`, async () => {
    const certificate = originCa.issue({ names: ['*.openai.com', '*.elsewhere.test'] })
    await using origin = await faultOrigin(certificate)
    const origins = { '*.openai.com': origin, '*.elsewhere.test': origin }
    await using yori = await ChildYori.start({
      config: CONFIG,
      origins,
      trust: [originCa],
    })
    const idle = yori.sockets()
    const ca = originCa.certificatePem + yori.rootPem
    const byPort = new Map<number, Case<unknown>>()
    const open: Socket[] = []
    try {
      const breaking = byClient.map(async (one) => {
        const opened = (raw: Socket): void => {
          open.push(raw)
          byPort.set(raw.localPort ?? 0, one)
        }
        const { id, host, reach, fault } = one
        const raw = await reach({ id, host, ca, origin, opened, port: yori.port })
        inflict(raw, fault)
      })
      await Promise.all(breaking)
      await judge(yori, idle, byPort)
    } finally {
      for (const raw of open) raw.destroy()
    }
  })

  const byProvider = cases(PROVIDER_POINTS, PROVIDERS)
  it(`outlives providers that break, in ${byProvider.length} ways`, async () => {
    const certificate = originCa.issue({ names: ['*.openai.com', '*.elsewhere.test'] })
    const open: Breaking[] = []
    try {
      for (const one of byProvider) open.push(await Breaking.start(one, certificate))
      const origins = Object.fromEntries(open.map((each) => [each.one.host, each.origin]))
      await using yori = await ChildYori.start({
        config: CONFIG,
        origins,
        trust: [originCa],
      })
      const idle = yori.sockets()
      const byPort = new Map<number, Case<unknown>>()
      await Promise.all(open.map((each) => each.ask(yori, byPort)))
      await judge(yori, idle, byPort)
      const answers = open.flatMap((each) => each.problem() ?? [])
      assert.deepEqual(answers, [])
    } finally {
      await Promise.all(open.map((each) => each[Symbol.asyncDispose]()))
    }
  })
})

type ProviderCase = Case<(typeof PROVIDER_POINTS)[string]>

/** One provider that breaks once, the client that asks it, and what that client got. */
class Breaking implements AsyncDisposable {
  readonly one: ProviderCase
  readonly origin: Origin
  readonly #broken: Promise<void>
  readonly #arrive: () => void
  #answer = ''
  #client: TLSSocket | undefined

  private constructor(
    one: ProviderCase,
    origin: Origin,
    signals: { broken: Promise<void>; arrive: () => void },
  ) {
    this.one = one
    this.origin = origin
    this.#broken = signals.broken
    this.#arrive = signals.arrive
  }

  static async start(
    one: ProviderCase,
    certificate: ReturnType<typeof originCa.issue>,
  ): Promise<Breaking> {
    let arrive: () => void = () => undefined
    let breakDone: () => void = () => undefined
    const arrived = new Promise<void>((resolve) => (arrive = resolve))
    const broken = new Promise<void>((resolve) => (breakDone = resolve))
    let isFirst = true
    const origin = await startRawOrigin(async (raw) => {
      if (!isFirst) return serveWhole({ raw, certificate })
      isFirst = false
      await one.reach({ raw, certificate, arrived })
      inflict(raw, one.fault)
      breakDone()
    })
    return new Breaking(one, origin, { broken, arrive })
  }

  /** Sends a request, and where the provider breaks after it a second one; then leaves. */
  async ask(yori: ChildYori, byPort: Map<number, Case<unknown>>): Promise<void> {
    const { host, point } = this.one
    const raw = await connectThroughProxy(yori.port, host, 443)
    byPort.set(raw.localPort ?? 0, this.one)
    // As most clients do: FIN is answered by FIN.
    raw.allowHalfOpen = false
    const ca = originCa.certificatePem + yori.rootPem
    const client = connectTls({ socket: raw, servername: host, ca })
    this.#client = client.on('error', () => undefined)
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    client.on('data', (chunk: Buffer) => {
      this.#answer += chunk.toString('latin1')
      if (/only this|ok$/.test(this.#answer)) this.#arrive()
    })
    const answered = (): Promise<void> =>
      new Promise((resolve) =>
        client.on('data', () => {
          if (/\r\n\r\nok$|\}$/.test(this.#answer)) resolve()
        }),
      )
    const first = answered()
    client.write(requestOf(point, host))
    await Promise.race([first, closed])
    if (point === 'between exchanges') {
      await this.#broken
      this.#answer = ''
      const second = answered()
      client.write(`GET /v1/models HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      await Promise.race([second, closed])
    }
    client.destroy()
  }

  /** A whole answer is the provider's, or ours that says what happened; never a guess. */
  problem(): string | undefined {
    const { point, fault } = this.one
    const status = /^HTTP\/1\.1 (\d+)/.exec(this.#answer)?.[1]
    const right =
      point === 'between exchanges' && fault !== 'silence'
        ? ['200']
        : /response body|tunnel/.test(point)
          ? ['200'] // cut off before its end
          : ['408', '502', '504']
    if (status !== undefined && right.includes(status)) return undefined
    return `${point}, ${fault}: the client got ${this.#answer.slice(0, 60)}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.destroy()
    await this.origin[Symbol.asyncDispose]()
  }
}

function requestOf(point: string, host: string): string {
  const isCut = point === 'after the head' || point === 'inside the body'
  const isLong = point === 'inside the request head'
  const long = Array.from({ length: 2 }, (_, i) => `X-${i}: ${'x'.repeat(15_000)}`)
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    `Host: ${host}`,
    ...(isLong ? long : []),
    isCut ? 'Transfer-Encoding: chunked' : 'Content-Length: 10',
  ]
  return `${head.join('\r\n')}\r\n\r\n${isCut ? '5\r\n12345\r\n' : '1234567890'}`
}
