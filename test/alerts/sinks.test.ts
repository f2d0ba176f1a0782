/**
 * Each receiver is written from what its vendor documents; the page is named at each. What a
 * device calls itself is never more than text there.
 */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer as createHttps } from 'node:https'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import { plain } from '../../src/alerts/plain.js'
import { post } from '../../src/alerts/sinks/post.js'
import { send } from '../../src/alerts/sinks/send.js'
import { sendSyslog, syslogLine } from '../../src/alerts/sinks/syslog.js'
import type { Delivery, SinkSettings } from '../../src/alerts/words.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { TestCa } from '../support/test-ca.js'
import { Receiver, blockedEvent, office, settingsFor, sinkTo } from './support.js'

const NOON = Date.UTC(2026, 10, 30, 12)
const EVIL =
  'x"\\\r\nBcc: a@b.example\r\n\r\n<b onload="1">&<!channel> *bold* [l](http://e.example) @everyone \u202etxt \u2028]'

const delivery = (more = {}): Delivery => ({
  id: 'msg_1',
  nowMs: NOON,
  isEscalated: false,
  event: blockedEvent(NOON, more),
})
const answer = {
  url: 'https://yori.home.arpa:8443/yori/answer?token=abc',
  until: NOON + 60_000,
  code: '7F3-K2M',
}
const evil = delivery({
  device: { id: 'd', ip: '192.168.1.20', hostname: EVIL },
  reason: EVIL,
  policy: EVIL,
})

describe('a sink of alerts', () => {
  let hook: Receiver
  let folder: TempFolder
  before(async () => {
    hook = await Receiver.start()
    folder = await tempFolder()
  })
  after(async () => {
    await hook[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  beforeEach(() => {
    hook.got.length = 0
    hook.script.length = 0
  })

  async function received(more: Partial<SinkSettings>, what = delivery()) {
    const sent = await send(sinkTo(hook.url, more), what)
    assert.deepEqual(sent, { kind: 'taken' })
    const [got] = hook.got.splice(0)
    return got ?? assert.fail('nothing came')
  }
  const root = (): string => `http://127.0.0.1:${hook.port}`

  // https://docs.ntfy.sh/publish/#publish-as-json and #http-actions
  it('of ntfy is posted JSON at the root, with a topic, a token and actions', async () => {
    const { path, headers, json } = await received(
      { type: 'ntfy', url: root(), topic: 'home', token: 'tk_1' },
      delivery({ answer }),
    )
    assert.equal(path, '/')
    assert.equal(headers.authorization, 'Bearer tk_1')
    assert.equal(json['topic'], 'home')
    assert.equal(json['title'], 'Blocked: tablet')
    assert.match(String(json['message']), /^it is bedtime\npolicy: bedtime\n/)
    assert.equal(json['priority'], 3)
    const [action] = json['actions'] as Record<string, unknown>[]
    assert.deepEqual(
      [action?.['action'], action?.['method'], action?.['url']],
      ['http', 'POST', answer.url],
    )
    // A topic as the last part of the URL, as ntfy's own pages show it.
    const other = await received({ type: 'ntfy', url: `${root()}/home2` })
    assert.deepEqual([other.path, other.json['topic']], ['/', 'home2'])
  })

  // https://gotify.net/docs/pushmsg and https://gotify.net/docs/msgextras
  it('of Gotify is posted a message under its key, as plain text', async () => {
    const { path, headers, json } = await received({
      ...{ type: 'gotify', url: `${root()}/`, token: 'AKey' },
    })
    assert.equal(path, '/message')
    assert.equal(headers['x-gotify-key'], 'AKey')
    assert.equal(json['priority'], 5)
    assert.deepEqual(json['extras'], { 'client::display': { contentType: 'text/plain' } })
  })

  // https://pushover.net/api#messages: title 250, message 1024 characters
  it('of Pushover is posted a form within its limits', async () => {
    const { headers, text } = await received(
      { type: 'pushover', token: 'app', user: 'key' },
      delivery({ reason: 'é'.repeat(3000), answer }),
    )
    assert.equal(headers['content-type'], 'application/x-www-form-urlencoded')
    const form = new URLSearchParams(text)
    assert.equal(form.get('token'), 'app')
    assert.equal(form.get('user'), 'key')
    assert.ok((form.get('message') ?? '').length <= 1024)
    assert.equal(form.get('timestamp'), String(NOON / 1000))
    assert.equal(form.get('url'), answer.url)
    assert.equal(form.get('html'), null)
  })

  // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
  // https://docs.slack.dev/reference/block-kit/composition-objects/text-object
  it('of Slack is posted blocks of plain text, and a fallback without mark-up', async () => {
    const { json } = await received({ type: 'slack' }, evil)
    const blocks = json['blocks'] as {
      type: string
      text: { type: string; text: string }
    }[]
    assert.deepEqual(
      blocks.map(({ type, text }) => [type, text.type]),
      [
        ['header', 'plain_text'],
        ['section', 'plain_text'],
      ],
    )
    assert.ok((blocks[0]?.text.text.length ?? 151) <= 150)
    assert.doesNotMatch(String(json['text']), /[<>]|&(?!amp;|lt;|gt;)/)
    assert.match(String(json['text']), /&lt;!channel&gt;/)
  })

  // https://discord.com/developers/docs/resources/webhook#execute-webhook and
  // https://discord.com/developers/docs/resources/message#allowed-mentions-object
  it('of Discord is posted an embed that mentions nobody and marks nothing up', async () => {
    const { json } = await received({ type: 'discord' }, evil)
    assert.deepEqual(json['allowed_mentions'], { parse: [] })
    const [embed] = json['embeds'] as Record<string, string>[]
    const text = `${embed?.['title'] ?? ''} ${embed?.['description'] ?? ''}`
    assert.doesNotMatch(text, /(?<!\\)[*_~`|[\]<>@#]/)
    assert.equal(embed?.['timestamp'], '2026-11-30T12:00:00.000Z')
  })

  // https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
  // and https://adaptivecards.io/explorer/TextRun.html (no Markdown)
  it('of Teams is posted an Adaptive Card of text runs', async () => {
    const { json } = await received({ type: 'teams' }, delivery({ reason: EVIL, answer }))
    assert.equal(json['type'], 'message')
    const [{ contentType, content } = assert.fail()] = json['attachments'] as {
      contentType: string
      content: { type: string; body: { type: string }[]; actions: { url: string }[] }
    }[]
    assert.equal(contentType, 'application/vnd.microsoft.card.adaptive')
    assert.equal(content.type, 'AdaptiveCard')
    assert.ok(content.body.every(({ type }) => type === 'RichTextBlock'))
    assert.equal(content.actions[0]?.url, answer.url)
  })

  // https://www.home-assistant.io/docs/automation/trigger/#webhook-trigger
  it('of Home Assistant is posted JSON that a template can take apart', async () => {
    const { json, headers } = await received({ type: 'homeassistant' })
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(json['title'], 'Blocked: tablet')
    assert.equal((json['metadata'] as Record<string, unknown>)['rule'], 'blocked')
  })

  it('is told names of others as one line of text, wherever it is posted to', async () => {
    for (const type of ['webhook', 'ntfy', 'gotify', 'teams', 'homeassistant'] as const) {
      const { text, headers } = await received({ type, token: 't' }, evil)
      const said = textsIn(JSON.parse(text))
      assert.ok(
        said.some((one) => one.includes('<b onload="1">')),
        type,
      )
      // Lines that we join are lines of ours: what was named stays within one of them.
      for (const line of said.flatMap((one) => one.split('\n')))
        assert.doesNotMatch(line, /^Bcc:|[\u0000-\u001f\u2028\u202e]/, type)
      assert.equal(headers['bcc'], undefined)
    }
  })

  it('is not followed elsewhere, and its answer is not read', async () => {
    hook.script.push(302)
    const sent = await send(sinkTo(hook.url), delivery())
    assert.deepEqual(sent, {
      kind: 'refused',
      reason: 'it answered 302, which is not followed',
    })
    assert.equal(hook.got.length, 1)
  })

  it('that does not answer in time has refused', async () => {
    hook.script.push('hang')
    const posting = { url: hook.url, headers: {}, body: '{}' }
    assert.deepEqual(await post(posting, {}, 50), {
      kind: 'refused',
      reason: 'no answer in time',
    })
  })

  it('over TLS has to be whom its name says, by the authority that is named', async () => {
    const ca = new TestCa()
    const issued = ca.issue({ names: ['localhost'] })
    const server = createHttps({ cert: issued.certificatePem, key: issued.keyPem })
    server.on('request', (_request, response) => response.end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const tlsCa = folder.file('ca.pem')
    writeFileSync(tlsCa, ca.certificatePem)
    const to = (host: string, more = {}) =>
      send(sinkTo(`https://${host}:${port}/`, more), delivery())
    try {
      assert.deepEqual(await to('localhost', { tlsCa }), { kind: 'taken' })
      assert.match(JSON.stringify(await to('localhost')), /not trusted/)
      assert.match(JSON.stringify(await to('127.0.0.1', { tlsCa })), /another name/)
    } finally {
      server.close()
    }
  })

  it('of syslog gets a line of RFC 5424, whatever a device is called', () => {
    const line = syslogLine(evil, 'router')
    const found =
      /^<(\d+)>1 (\S+) (\S+) (\S+) (\S+) (\S+) \[yori@32473((?: \w+="(?:[^"\\\]]|\\["\\\]])*")+)\] \ufeff(.*)$/su.exec(
        line,
      )
    assert.ok(found !== null, line)
    const [, priority, time, host, app, pid, id, data = '', text = ''] = found
    // Facility 13 (log audit), severity 5 (notice): 13 * 8 + 5.
    assert.deepEqual(
      [priority, time, host, app, pid, id],
      ['109', '2026-11-30T12:00:00.000Z', 'router', 'yori', '-', 'BLOCKED'],
    )
    assert.ok(data.includes(' device="x\\"\\\\ Bcc'), data)
    assert.doesNotMatch(text, /[\r\n]/)
  })

  it('of syslog gets it by UDP, by TCP in counted octets, and by TLS', async () => {
    const expected = syslogLine(delivery())
    const udp = createSocket('udp4')
    udp.bind(0, '127.0.0.1')
    await once(udp, 'listening')
    const heard = once(udp, 'message')
    const to = { type: 'syslog', host: '127.0.0.1' } as const
    assert.deepEqual(
      await send(sinkTo('', { ...to, port: udp.address().port }), delivery()),
      {
        kind: 'taken',
      },
    )
    assert.equal(String((await heard)[0]), expected)
    udp.close()

    const ca = new TestCa()
    const issued = ca.issue({ names: ['localhost'] })
    const tlsCa = folder.file('syslog-ca.pem')
    writeFileSync(tlsCa, ca.certificatePem)
    const servers = [
      [createServer(), 'tcp'],
      [createTls({ cert: issued.certificatePem, key: issued.keyPem }), 'tls'],
    ] as const
    for (const [server, transport] of servers) {
      let said = ''
      server.on(
        transport === 'tls' ? 'secureConnection' : 'connection',
        (socket: Socket) => {
          socket.on('data', (piece: Buffer) => (said += String(piece)))
          socket.on('end', () => socket.end())
        },
      )
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const sink = sinkTo('', { ...to, host: 'localhost', port, transport, tlsCa })
      assert.deepEqual(await send(sink, delivery()), { kind: 'taken' })
      assert.equal(said, `${Buffer.byteLength(expected)} ${expected}`)
      server.close()
      await once(server, 'close')
      const after = await send(sink, delivery())
      assert.deepEqual(after, { kind: 'refused', reason: 'nobody listens there' })
    }
  })

  it('of every kind that is posted to is told once, by the same words, though it failed', async () => {
    const kinds = [
      'webhook',
      'ntfy',
      'gotify',
      'pushover',
      'slack',
      'discord',
      'teams',
    ] as const
    for (const type of [...kinds, 'homeassistant'] as const) {
      hook.got.length = 0
      hook.script.push('reset', 429, 503)
      using post = office(folder.file(`${type}.db`))
      const sink = sinkTo(hook.url, { type, token: 'tk_1', user: 'u1' })
      post.use(settingsFor([sink]), NOON)
      post.take([{ event: blockedEvent(NOON), count: 1 }], NOON)
      await post.settled()
      for (let at = NOON; post.waiting > 0; at += 60_000) {
        post.tick(at)
        await post.settled()
      }
      assert.equal(hook.got.length, 4, type)
      assert.equal(new Set(hook.got.map(({ text }) => text)).size, 1, type)
      assert.deepEqual([post.counts.sent, post.counts.failed], [1, 0], type)
    }
  })

  it('of every kind that hangs keeps no other waiting, and is left alone for a while', async () => {
    const posted = ['webhook', 'ntfy', 'gotify', 'pushover', 'slack', 'discord'] as const
    const spoken = ['syslog by tcp', 'syslog by tls', 'email', 'email by tls'] as const
    for (const kind of [...posted, 'teams', 'homeassistant', ...spoken] as const) {
      await using silent = await Hanging.start()
      const { port } = silent
      const local = { host: '127.0.0.1', port }
      const type = kind.split(' ')[0] as SinkSettings['type']
      const transport = kind === 'syslog by tls' ? 'tls' : 'tcp'
      const starttls = kind === 'email by tls' ? 'implicit' : 'required'
      const mail = {
        from: 'yori@example.org',
        to: ['ada@example.org'],
        starttls,
      } as const
      const hanging = sinkTo(`http://127.0.0.1:${port}/`, {
        ...{ type, token: 'tk_1', user: 'u1', name: 'hanging', ...mail, transport },
        ...(kind.includes('syslog') || kind.includes('email') ? local : {}),
      })
      hook.got.length = 0
      const notes: string[] = []
      const bounds = { tryWithinMs: kind === 'syslog by tcp' ? 5_000 : 150, notes }
      using post = office(folder.file(`hanging ${kind}.db`), bounds)
      post.use(settingsFor([hanging, sinkTo(hook.url)]), NOON)
      for (let n = 0; n < 3; n++) {
        const event = blockedEvent(NOON, { policy: `p${n}` })
        post.take([{ event, count: 1 }], NOON)
      }
      await hook.received(3)
      await post.settled()
      // TCP alone is taken by who only listens: nothing of syslog says that it was read.
      if (kind === 'syslog by tcp') {
        assert.deepEqual([post.waiting, post.counts.sent], [0, 6], kind)
        continue
      }
      assert.deepEqual([post.waiting, post.counts.sent], [3, 3], kind)
      assert.ok(silent.connections <= 1, `${kind}: the rest is not tried at once`)
      assert.match(
        notes.join(),
        /^hanging: (?:it took too long|no answer in time)$/,
        kind,
      )
    }
  })

  it('of syslog that sends a byte now and then has not answered', async () => {
    const bytes = createServer((socket) => {
      socket.on('error', () => undefined)
      const timer = setInterval(() => socket.write(Buffer.of(0x16)), 20)
      socket.on('close', () => clearInterval(timer))
    })
    bytes.listen(0, '127.0.0.1')
    await once(bytes, 'listening')
    const { port } = bytes.address() as AddressInfo
    const to = { type: 'syslog', host: '127.0.0.1', port, transport: 'tls' } as const
    try {
      const sent = await sendSyslog(sinkTo('', to), delivery(), 200)
      assert.equal(sent.kind, 'refused')
    } finally {
      bytes.close()
    }
  })

  it('cuts text between characters', () => {
    assert.equal(plain('a\u0000b\r\nc'), 'a b c')
    assert.equal(plain('😀😀😀', 4), '😀…')
    assert.equal(plain('\ud83d alone'), '\ufffd alone')
  })
})

/** Takes connections, and says nothing. */
class Hanging implements AsyncDisposable {
  connections = 0
  readonly #open = new Set<Socket>()
  readonly #server = createServer((socket) => {
    this.connections++
    this.#open.add(socket)
    socket.on('error', () => undefined)
    socket.resume()
  })

  static async start(): Promise<Hanging> {
    const hanging = new Hanging()
    hanging.#server.listen(0, '127.0.0.1')
    await once(hanging.#server, 'listening')
    return hanging
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}
