/** Mail to real servers of SMTP (smtp-server): what they see, and what they must not. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { send } from '../../src/alerts/sinks/send.js'
import type { Delivery, SinkSettings } from '../../src/alerts/words.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { TestCa } from '../support/test-ca.js'
import { blockedEvent, sinkTo } from './support.js'

const NOON = Date.UTC(2026, 10, 30, 12)

interface Seen {
  readonly secure: boolean
  readonly user: string | undefined
  readonly from: string
  readonly to: readonly string[]
  readonly raw: string
}

interface SmtpModule {
  SMTPServer: new (options: object) => {
    readonly server: Server
    listen(port: number, host: string): void
    close(done: () => void): void
    on(event: 'error', heard: () => void): void
  }
}

interface Session {
  readonly secure: boolean
  readonly user?: string
  readonly envelope: { mailFrom: { address: string }; rcptTo: { address: string }[] }
}

class MailServer implements AsyncDisposable {
  readonly seen: Seen[] = []
  readonly passwords: string[] = []
  /** Recipients that are turned away first; RFC 5321 §4.2: 451. */
  greylisted = 0
  readonly #server: InstanceType<SmtpModule['SMTPServer']>

  constructor(options: object) {
    const { SMTPServer } = createRequire(import.meta.url)('smtp-server') as SmtpModule
    this.#server = new SMTPServer({
      logger: false,
      disableReverseLookup: true,
      onAuth: (
        { username, password }: { username: string; password: string },
        _session: unknown,
        done: (error: Error | null, found?: { user: string }) => void,
      ) => {
        this.passwords.push(password)
        if (password === 'right') done(null, { user: username })
        else done(Object.assign(new Error(`no: ${password}`), { responseCode: 535 }))
      },
      onRcptTo: (_address: unknown, _session: unknown, done: (error?: Error) => void) => {
        if (this.greylisted-- > 0)
          done(Object.assign(new Error('Greylisted, come again'), { responseCode: 451 }))
        else done()
      },
      onData: (
        stream: NodeJS.ReadableStream,
        { secure, user, envelope }: Session,
        done: () => void,
      ) => {
        let raw = ''
        stream.on('data', (piece: Buffer) => (raw += String(piece)))
        stream.on('end', () => {
          this.seen.push({
            secure,
            user,
            raw,
            from: envelope.mailFrom.address,
            to: envelope.rcptTo.map(({ address }) => address),
          })
          done()
        })
      },
      ...options,
    })
    this.#server.on('error', () => undefined)
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server.server, 'listening')
    return this
  }

  get port(): number {
    return (this.#server.server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(resolve))
  }
}

describe('alerts by mail', () => {
  const ca = new TestCa()
  const issued = ca.issue({ names: ['localhost'] })
  const tls = { cert: issued.certificatePem, key: issued.keyPem }
  let folder: TempFolder
  let server: MailServer
  let tlsCa: string
  before(async () => {
    folder = await tempFolder()
    tlsCa = folder.file('ca.pem')
    writeFileSync(tlsCa, ca.certificatePem)
    server = await new MailServer({ ...tls, authOptional: true }).listen()
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    server.seen.length = 0
    server.passwords.length = 0
  })

  const sink = (more: Partial<SinkSettings> = {}): SinkSettings =>
    sinkTo('', {
      type: 'email',
      host: 'localhost',
      port: server.port,
      from: 'YORI <yori@example.org>',
      to: ['ada@example.org', 'bea@example.org'],
      tlsCa,
      ...more,
    })
  const delivery = (more = {}): Delivery => ({
    id: 'msg_abc',
    nowMs: NOON,
    isEscalated: false,
    event: blockedEvent(NOON, more),
  })

  it('go by STARTTLS, with login, as text and HTML', async () => {
    const login = { user: 'yori', password: 'right' }
    assert.deepEqual(await send(sink(login), delivery()), { kind: 'taken' })
    const [{ secure, user, from, to, raw } = assert.fail()] = server.seen
    assert.equal(secure, true)
    assert.equal(user, 'yori')
    assert.equal(from, 'yori@example.org')
    assert.deepEqual(to, ['ada@example.org', 'bea@example.org'])
    assert.match(raw, /^Subject: YORI: Blocked: tablet\r$/m)
    assert.match(raw, /^Message-ID: <msg_abc@yori\.home\.arpa>\r$/m)
    assert.match(raw, /^Date: Mon, 30 Nov 2026 12:00:00 \+0000\r$/m)
    assert.match(raw, /^Auto-Submitted: auto-generated\r$/m)
    assert.match(raw, /Content-Type: text\/plain/)
    assert.match(raw, /Content-Type: text\/html/)
  })

  it('go nowhere, and tell no password, where STARTTLS is not offered', async () => {
    const disabledCommands = ['STARTTLS']
    await using plain = await new MailServer({
      authOptional: true,
      disabledCommands,
    }).listen()
    const to = sink({ port: plain.port, user: 'yori', password: 'right' })
    const sent = await send(to, delivery())
    assert.match(JSON.stringify(sent), /does not offer STARTTLS/)
    assert.deepEqual([plain.seen, plain.passwords], [[], []])
    // Only where it is said so does it go in the clear.
    const off = sink({ port: plain.port, starttls: 'off' })
    assert.deepEqual(await send(off, delivery()), { kind: 'taken' })
    assert.equal(plain.seen[0]?.secure, false)
  })

  it('go nowhere where the certificate is wrong', async () => {
    const { tlsCa: _ca, ...unnamed } = sink({ user: 'yori', password: 'right' })
    for (const wrong of [unnamed, sink({ host: '127.0.0.1' })]) {
      const sent = await send(wrong, delivery())
      assert.equal(sent.kind, 'refused')
      assert.match(JSON.stringify(sent), /no safe connection/)
    }
    assert.deepEqual([server.seen, server.passwords], [[], []])
  })

  it('go by TLS from the beginning where that is said', async () => {
    await using implicit = await new MailServer({
      ...{ ...tls, secure: true, authOptional: true },
    }).listen()
    const to = sink({ port: implicit.port, starttls: 'implicit' })
    assert.deepEqual(await send(to, delivery()), { kind: 'taken' })
    assert.equal(implicit.seen[0]?.secure, true)
  })

  it('say that a login was refused, without the password', async () => {
    const sent = await send(sink({ user: 'yori', password: 'wr0ng!' }), delivery())
    assert.deepEqual(sent, { kind: 'refused', reason: 'it refused the login (535)' })
    assert.equal(server.seen.length, 0)
  })

  it('come again by the same Message-ID where they were greylisted', async () => {
    server.greylisted = 2
    assert.equal((await send(sink(), delivery())).kind, 'refused')
    assert.deepEqual(await send(sink(), delivery()), { kind: 'taken' })
    assert.equal(server.seen.length, 1)
    assert.match(server.seen[0]?.raw ?? '', /<msg_abc@yori\.home\.arpa>/)
  })

  it('say that a server is down, or no server of mail', async () => {
    const dead = createServer().listen(0, '127.0.0.1')
    await once(dead, 'listening')
    const { port } = dead.address() as AddressInfo
    dead.close()
    await once(dead, 'close')
    assert.match(
      JSON.stringify(await send(sink({ port }), delivery())),
      /nobody listens|ECONNREFUSED/,
    )
  })

  it('hold what a device calls itself as text: no header, no mark-up, no recipient', async () => {
    const evil = 'x\r\nBcc: eve@example.org\r\n\r\n<script>alert(1)</script>"\u202e'
    const event = delivery({
      device: { id: 'd', ip: '192.168.1.20', hostname: evil },
      reason: evil,
      policy: evil,
    })
    assert.deepEqual(await send(sink(), event), { kind: 'taken' })
    const [{ raw, to } = assert.fail()] = server.seen
    assert.equal(to.length, 2)
    const [head = ''] = raw.split('\r\n\r\n', 1)
    assert.doesNotMatch(head, /^(?:Bcc|bcc):/m)
    const html = raw.slice(raw.indexOf('text/html'))
    assert.ok(html.includes('&lt;script&gt;'))
    assert.ok(!html.includes('<script>'))
  })
})
