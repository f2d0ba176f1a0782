/** Debian's rsyslog as the receiver: what it takes for the parts of our lines, and over its own death. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { send } from '../../src/alerts/sinks/send.js'
import type { SinkSettings } from '../../src/alerts/words.js'
import { needs, skip } from '../support/needs.js'
import { tempFolder } from '../support/temp-folder.js'
import type { TempFolder } from '../support/temp-folder.js'
import { TestCa } from '../support/test-ca.js'
import { blockedEvent, office, settingsFor, sinkTo } from './support.js'

const NOON = Date.UTC(2026, 10, 30, 12)
const TEXT = 'a "quoted" \\ reason] with ü and 😀'

/** Debian keeps rsyslog's driver for TLS in a package of its own. */
const NO_TLS = { what: 'rsyslog over TLS', brings: 'apt-get install rsyslog-gnutls' }
const hasTls = (): boolean =>
  ['/usr/lib', ...libraryFolders()].some((folder) =>
    existsSync(`${folder}/rsyslog/lmnsd_gtls.so`),
  )

function libraryFolders(): string[] {
  const folders = readdirSync('/usr/lib', { withFileTypes: true })
  return folders.filter((one) => one.isDirectory()).map(({ name }) => `/usr/lib/${name}`)
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

describe('syslog to rsyslog', () => {
  let folder: TempFolder
  let port: number
  let tlsPort: number
  let tlsCa: string
  let child: ChildProcess | undefined
  before(async function () {
    needs(this, 'rsyslogd')
    folder = await tempFolder()
    port = await freePort()
    tlsPort = await freePort()
    writeFileSync(folder.file('said'), '')
    const ca = new TestCa()
    const { certificatePem, keyPem } = ca.issue({ names: ['localhost'] })
    tlsCa = folder.file('ca.pem')
    writeFileSync(tlsCa, ca.certificatePem)
    writeFileSync(folder.file('cert.pem'), certificatePem)
    writeFileSync(folder.file('key.pem'), keyPem)
    const driver = [
      'StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.Authmode="anon"',
      ...['CA', 'Cert', 'Key'].map(
        (what) =>
          `StreamDriver.${what}File="${folder.file(`${what.toLowerCase()}.pem`)}"`,
      ),
    ].join(' ')
    writeFileSync(
      folder.file('rsyslog.conf'),
      [
        'module(load="imtcp") module(load="imudp")',
        `input(type="imtcp" address="127.0.0.1" port="${port}")`,
        `input(type="imudp" address="127.0.0.1" port="${port}")`,
        ...(hasTls()
          ? [`input(type="imtcp" address="127.0.0.1" port="${tlsPort}" ${driver})`]
          : []),
        'template(name="parts" type="string" string="%pri%\\t%timestamp:::date-rfc3339%\\t%app-name%\\t' +
          '%msgid%\\t%structured-data%\\t%msg%\\n")',
        `*.* action(type="omfile" file="${folder.file('said')}" template="parts")`,
        '',
      ].join('\n'),
    )
    await start()
  })
  after(async () => {
    await stop()
    await folder?.[Symbol.asyncDispose]()
  })

  async function start(): Promise<void> {
    child = spawn(
      'rsyslogd',
      ['-n', '-f', folder.file('rsyslog.conf'), '-i', folder.file('pid'), '-C'],
      { stdio: 'ignore' },
    )
    // It says nothing when it is ready: until it takes a connection.
    for (;;) {
      const sent = await send(sink('tcp'), { ...delivery, id: 'ready' })
      if (sent.kind === 'taken') return
      assert.equal(child.exitCode, null, 'rsyslogd ended')
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  async function stop(signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null)
      return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  const sink = (transport: 'tcp' | 'udp' | 'tls', more: Partial<SinkSettings> = {}) =>
    transport === 'tls'
      ? sinkTo('', {
          ...{ type: 'syslog', host: 'localhost', port: tlsPort, transport, tlsCa },
          ...more,
        })
      : sinkTo('', { type: 'syslog', host: '127.0.0.1', port, transport })
  const delivery = {
    ...{ nowMs: NOON, isEscalated: false },
    event: blockedEvent(NOON, { reason: TEXT }),
  }
  /** Lines with that id, once there are so many. */
  async function lines(id: string, count = 1): Promise<readonly string[][]> {
    const changes = watch(folder.file('said'))
    try {
      for (;;) {
        const changed = once(changes, 'change')
        const found = readFileSync(folder.file('said'), 'utf8')
          .split('\n')
          .filter((line) => line.includes(`id="${id}`))
        if (found.length >= count) return found.map((line) => line.split('\t'))
        await changed
      }
    } finally {
      changes.close()
    }
  }

  for (const transport of ['udp', 'tcp', 'tls'] as const)
    it(`is read as RFC 5424 by ${transport}, part by part`, async function () {
      if (transport === 'tls' && !hasTls()) skip(this, NO_TLS)
      assert.deepEqual(
        await send(sink(transport), { ...delivery, id: `by-${transport}` }),
        {
          kind: 'taken',
        },
      )
      const [[pri, at, app, msgid, data = '', text = ''] = []] = await lines(
        `by-${transport}`,
      )
      // Facility 13, severity 5 (RFC 5424 section 6.2.1).
      assert.deepEqual([pri, app, msgid], ['109', 'yori', 'BLOCKED'])
      assert.equal(Date.parse(at ?? ''), NOON)
      assert.match(data, /^\[yori@32473 id="by-\w+" rule="blocked" device="tablet"/)
      assert.ok(text.includes(TEXT), text)
    })

  it('is told nothing over TLS that is not whom it should be', async function () {
    if (!hasTls()) skip(this, NO_TLS)
    const { tlsCa: _none, ...untrusted } = sink('tls')
    for (const [wrong, says] of [
      [untrusted, /not trusted/],
      [sink('tls', { host: '127.0.0.1' }), /another name/],
    ] as const) {
      const sent = await send(wrong, { ...delivery, id: 'to-nobody' })
      assert.match(JSON.stringify(sent), says)
    }
    await send(sink('tls'), { ...delivery, id: 'to-somebody' })
    await lines('to-somebody')
    assert.doesNotMatch(readFileSync(folder.file('said'), 'utf8'), /to-nobody/)
  })

  it('is delivered once, by the same id, though it was killed', async () => {
    using post = office(folder.file('alerts.db'))
    post.use(settingsFor([sink('tcp')]), NOON)
    await stop('SIGKILL')
    for (let n = 0; n < 5; n++)
      post.take(
        [{ event: blockedEvent(NOON + n, { policy: `killed-${n}` }), count: 1 }],
        NOON + n,
      )
    await post.settled()
    assert.equal(post.waiting, 5)
    await start()
    for (let at = NOON + 6_000; post.waiting > 0; at += 6_000) {
      post.tick(at)
      await post.settled()
    }
    const said = (): string[] =>
      readFileSync(folder.file('said'), 'utf8').match(
        /id="msg_\w+"[^\n]*policy="killed-\d"/g,
      ) ?? []
    await lines('msg_', 5)
    assert.equal(said().length, 5)
    assert.equal(new Set(said().map((line) => line.slice(0, 40))).size, 5)
    assert.deepEqual([post.counts.sent, post.counts.dropped], [5, 0])
  })
})
