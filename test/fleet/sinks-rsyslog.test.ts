/** Debian's rsyslog over TLS as a sink of the record, killed again and again. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setImmediate as soon } from 'node:timers/promises'
import { systemClock } from '../../src/core/clock.js'
import { Shipper } from '../../src/fleet/ship/shipper.js'
import type { ShipReport } from '../../src/fleet/ship/words.js'
import { sinkOf } from '../../src/fleet/sinks/sink-of.js'
import type { SinkSettings } from '../../src/fleet/sinks/words.js'
import { closed, startStore, temporaryFolder } from '../audit/support.js'
import type { TemporaryFolder } from '../audit/support.js'
import { needs, skip } from '../support/needs.js'
import { until } from '../support/proxied.js'
import { TestCa } from '../support/test-ca.js'

const NO_TLS = { what: 'rsyslog over TLS', brings: 'apt-get install rsyslog-gnutls' }
const KILLS = 20

const hasTls = (): boolean =>
  readdirSync('/usr/lib', { withFileTypes: true }).some(
    (one) =>
      one.isDirectory() && existsSync(`/usr/lib/${one.name}/rsyslog/lmnsd_gtls.so`),
  )

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

class Rsyslog implements AsyncDisposable {
  readonly said: string
  readonly #folder: TemporaryFolder
  readonly #port: number
  #child: ChildProcess | undefined

  private constructor(folder: TemporaryFolder, port: number) {
    this.#folder = folder
    this.#port = port
    this.said = `${folder.path}/said`
  }

  static async start(
    folder: TemporaryFolder,
    port: number,
    driver: string,
  ): Promise<Rsyslog> {
    const server = new Rsyslog(folder, port)
    writeFileSync(server.said, '')
    writeFileSync(
      `${folder.path}/rsyslog.conf`,
      [
        // What it holds in memory is its own: here it has written before it reads on.
        'main_queue(queue.type="Direct")',
        'global(maxMessageSize="64k") module(load="imtcp")',
        `input(type="imtcp" address="127.0.0.1" port="${port}" ${driver})`,
        'template(name="parts" type="string" string="%pri%\\t%app-name%\\t%msgid%\\t%msg%\\n")',
        `*.* action(type="omfile" file="${server.said}" template="parts")`,
        '',
      ].join('\n'),
    )
    await server.up()
    return server
  }

  async up(): Promise<void> {
    const { path } = this.#folder
    this.#child = spawn(
      'rsyslogd',
      ['-n', '-f', `${path}/rsyslog.conf`, '-i', `${path}/pid`, '-C'],
      { stdio: 'ignore' },
    )
    for (;;) {
      const socket = connect(this.#port, '127.0.0.1')
      const [is] = await Promise.race([
        once(socket, 'connect').then(() => [true]),
        once(socket, 'close').then(() => [false]),
      ]).catch(() => [false])
      socket.destroy()
      if (is === true) return
      assert.equal(this.#child.exitCode, null, 'rsyslogd ended')
      await soon()
    }
  }

  async kill(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  lines(): readonly string[][] {
    return readFileSync(this.said, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

describe('rsyslog as a sink of the record', function () {
  // Whoever is killed within a handshake is waited for, 10 s each time.
  this.timeout(300_000)
  before(function () {
    needs(this, 'rsyslogd')
    if (!hasTls()) skip(this, NO_TLS)
  })

  for (const transport of ['tcp', 'tls'] as const)
    it(`has every exchange by ${transport}, though it is killed ${KILLS} times`, async () => {
      using folder = temporaryFolder()
      const ca = new TestCa()
      const { certificatePem, keyPem } = ca.issue({ names: ['localhost'] })
      const file = (name: string): string => `${folder.path}/${name}.pem`
      writeFileSync(file('ca'), ca.certificatePem)
      writeFileSync(file('cert'), certificatePem)
      writeFileSync(file('key'), keyPem)
      const driver =
        transport === 'tcp'
          ? ''
          : `StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.Authmode="anon" StreamDriver.CAFile="${file('ca')}" StreamDriver.CertFile="${file('cert')}" StreamDriver.KeyFile="${file('key')}"`
      const port = await freePort()
      await using server = await Rsyslog.start(folder, port, driver)
      await using store = await startStore(folder.database)
      const sink: SinkSettings = {
        ...{ type: 'syslog', format: 'cef', host: 'localhost', port, transport },
        tlsCa: file('ca'),
      }
      let last: ShipReport | undefined
      const { database, path } = folder
      const task = {
        to: 'syslog',
        gateway: 'logs',
        sink,
        database,
        version: '1',
      } as const
      const shipper = new Shipper({
        database,
        destination: sinkOf({ ...task, placeFile: `${path}/sink.json` }),
        now: () => systemClock.now(),
        report: (report) => (last = report),
        firstWaitMs: 1,
      })
      const ran = shipper.run()
      try {
        let given = 0
        const give = async (count: number): Promise<void> => {
          for (let i = 0; i < count; i++)
            store.exchangeClosed(
              closed({ requestId: `s${given++}`, promptPreview: 'a=b\\c|d\ne ü 😀' }),
            )
          await store.flush()
        }
        for (let round = 0; round < KILLS; round++) {
          const before = server.lines().length
          await give(60)
          // In the middle of what it writes, or just behind it.
          if (round % 2 === 0) await until(() => server.lines().length > before)
          await server.kill()
          await give(10)
          await server.up()
          // Who never gets through waits longer each time.
          if (round % 4 === 3) await until(() => last?.state.kind === 'ok')
        }
        const found = (): Set<string | undefined> =>
          new Set(
            server
              .lines()
              .map(([, , , text = '']) => /externalId=(s\d+) /.exec(text)?.[1]),
          )
        await until(() => {
          const ids = found()
          return Array.from({ length: given }, (_, i) => `s${i}`).every((id) =>
            ids.has(id),
          )
        })
        await until(() => last?.state.kind === 'ok')
        const whole = server
          .lines()
          .find(([, , , text = '']) => text.includes('externalId=s0 '))
        // Facility 13, severity 6 (RFC 5424 section 6.2.1).
        assert.deepEqual(whole?.slice(0, 3), ['110', 'yori', 'response'])
        assert.ok(whole?.[3]?.includes('cs6=a\\=b\\\\c|d\\ne ü 😀'), whole?.[3])
        assert.ok(server.lines().some(([, , kind]) => kind === 'head'))
      } finally {
        shipper.stop()
        await ran
      }
    })
})
