import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFile } from '../../../src/core/package-root.js'
import { Cli } from '../../support/cli.js'
import { tlsThroughProxy } from '../../support/clients.js'
import { needs } from '../../support/needs.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { pluginFile } from './model.js'
import { EMPTY_XML, called } from './pages.js'
import type { Call } from './pages.js'
import { TEMPLATES } from './templates.js'

const FIXTURES = packageFile('test', 'fixtures', 'opnsense')
const SCRIPTS = pluginFile('src', 'opnsense', 'scripts', 'OPNsense', 'YORI')
const ON_ROUTER = '/usr/local/opnsense/scripts/OPNsense/YORI'
/** Each look is a PHP of its own. */
const LOOKS = 60

/** As one word of sh. */
const word = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** OPNsense's config.xml, its configd by stand-ins, and a YORI that runs. */
class Router implements AsyncDisposable {
  readonly #folder: TempFolder
  readonly #env: Record<string, string>
  #yori: Cli | undefined

  constructor(folder: TempFolder) {
    this.#folder = folder
    const [xml, conf, state] = [this.#at('config.xml'), this.conf, this.#at('state')]
    writeFileSync(xml, EMPTY_XML)
    const main = packageFile('dist', 'src', 'cli', 'main.js')
    const command = this.#at('yori')
    writeFileSync(
      command,
      `#!/bin/sh\nexec ${word(process.execPath)} ${word(main)} "$@"\n`,
      {
        mode: 0o755,
      },
    )
    const render = `python3 ${word(join(FIXTURES, 'render.py'))} ${word(TEMPLATES)} ${word(xml)} yori.conf`
    const moved = `sed -e s#/var/db/yori#${state}# -e s#/var/log/yori/yori.log#${this.#at('yori.log')}#`
    const standIns = [
      ['template OPNsense/YORI', `${render} | ${moved} >${conf}`],
      [
        `${ON_ROUTER}/check.sh`,
        `YORI_COMMAND=${command} sh ${word(`${SCRIPTS}/check.sh`)} ${word(conf)}`,
      ],
      [`${ON_ROUTER}/dns.sh`, 'true'],
      [
        `${ON_ROUTER}/control.py`,
        `YORI_SOCKET=${state}/control.sock python3 -B ${word(`${SCRIPTS}/control.py`)}`,
      ],
      [
        `${ON_ROUTER}/secret.sh`,
        `YORI_AS_USER=${command} sh ${word(`${SCRIPTS}/secret.sh`)}`,
      ],
      [`${ON_ROUTER}/yori.sh`, command],
      ['/usr/local/bin/yori', command],
      ['/usr/local/etc/rc.d/yori reload', `kill -HUP $(cat ${this.#at('pid')})`],
      ['/usr/local/etc/rc.d/yori status', 'echo yori is running as pid 7.'],
      ['/usr/local/etc/rc.d/yori', 'true'],
      ['/usr/local/etc/yori/yori.conf', conf],
    ]
    this.#env = {
      YORI_CONFIGD: join(FIXTURES, 'configd.py'),
      YORI_ACTIONS: pluginFile('src/opnsense/service/conf/actions.d/actions_yori.conf'),
      YORI_STAND_INS: JSON.stringify(standIns),
    }
    writeFileSync(this.#at('pid'), '')
  }

  get conf(): string {
    return this.#at('yori.conf')
  }

  async start(): Promise<{ port: number; root: string }> {
    const cwd = this.#folder.path
    // The template's port of the dashboard stands; no variable takes its place.
    const env = { YORI_CONTROL_LISTEN: undefined }
    this.#yori = new Cli(['run', '--config', this.conf], { cwd, env })
    const [, port] = await this.#yori.printed(/listening +127\.0\.0\.1:(\d+)/)
    await this.#yori.printed(/Ctrl-C stops it/)
    writeFileSync(this.#at('pid'), `${this.#yori.child.pid}\n`)
    const root = readFileSync(this.#at('state/yori-root.pem'), 'utf8')
    return { port: Number(port), root }
  }

  all(...calls: readonly Call[]): Record<string, unknown>[] {
    return called(this.#at('config.xml'), calls, {}, this.#env).map(
      ({ answer, error }) => {
        assert.equal(error, undefined)
        return answer as Record<string, unknown>
      },
    )
  }

  call(to: string, post?: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return this.all({ to, ...(post && { post }) })[0] ?? assert.fail()
  }

  /** Asks on until the answer is right. */
  until(to: string, isRight: (answer: Record<string, unknown>) => boolean): void {
    let answer: Record<string, unknown> = {}
    for (let look = 0; look < LOOKS; look++) {
      answer = this.call(to)
      if (isRight(answer)) return
    }
    assert.fail(`${to}: ${JSON.stringify(answer)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#yori?.[Symbol.asyncDispose]()
    await this.#folder[Symbol.asyncDispose]()
  }

  #at(name: string): string {
    return this.#folder.file(name)
  }
}

describe('the whole way of a setting', () => {
  let router: Router
  let port: number
  let root: string

  before(async function () {
    needs(this, 'php', 'Jinja2')
    router = new Router(await tempFolder())
    const first = {
      enabled: '1',
      listen: '127.0.0.1:0',
      control_listen: 'off',
      upstream_dns: '127.0.0.1',
    }
    assert.deepEqual(router.call('service/set', { yori: first }), {
      result: 'saved',
      status: 'ok',
    })
    ;({ port, root } = await router.start())
  })
  after(() => router?.[Symbol.asyncDispose]())

  it('goes from the page to the file, and a running YORI obeys', () => {
    assert.equal(router.call('dashboard/summary')['mode'], 'observe')
    const saved = router.call('service/set', { yori: { mode: 'advisory' } })
    assert.deepEqual(saved, { result: 'saved', status: 'ok' })
    router.until('dashboard/summary', ({ mode }) => mode === 'advisory')
  })

  it('ends at its field when YORI does not take it, and YORI goes on with the last', () => {
    const refused = router.call('service/set', {
      yori: { timezone: 'Mars/Olympus_Mons' },
    })
    assert.equal(refused['status'], 'failed')
    const validations = refused['validations'] as Record<string, string>
    assert.deepEqual(Object.keys(validations), ['yori.timezone'])
    assert.match(validations['yori.timezone'] ?? '', /not a time zone/)
    assert.match(readFileSync(router.conf, 'utf8'), /^mode: "advisory"$/m)
    assert.doesNotMatch(readFileSync(router.conf, 'utf8'), /Mars/)
    assert.equal(router.call('dashboard/summary')['mode'], 'advisory')
  })

  it('is answered by every page with what YORI says', () => {
    const pages = [
      ...['dashboard/get', 'alerts/get', 'approvals/get', 'devices/people'],
      ...['devices/search', 'enforcement/status', 'enforcement/catalogue', 'stats/get'],
      ...['stats/report', 'stats/mode_history', 'trust/get'],
    ]
    const answers = router.all(...pages.map((to) => ({ to })))
    assert.deepEqual(
      answers.flatMap(({ error }, index) => (error === undefined ? [] : [pages[index]])),
      [],
    )
    const of = (page: string) => answers[pages.indexOf(page)] ?? assert.fail()
    assert.ok((of('enforcement/catalogue')['policies'] as unknown[]).length > 10)
  })

  it('and back: what YORI met is on the page', async () => {
    const socket = await tlsThroughProxy(port, 'api.openai.com', { ca: root })
    const ended = new Promise((resolve) => socket.once('close', resolve))
    socket.end(
      'GET /v1/models HTTP/1.1\r\nhost: api.openai.com\r\nconnection: close\r\n\r\n',
    )
    socket.resume()
    await ended
    router.until('live/search', ({ rows }) =>
      (rows as Record<string, unknown>[]).some(
        (row) => row['endpoint_domain'] === 'api.openai.com',
      ),
    )
  })
})
