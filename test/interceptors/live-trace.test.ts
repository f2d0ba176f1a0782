/**
 * `live_trace` as the document of that gateway writes it: the page at its port, with what passed,
 * what of it is on disk by `storage_mode`, and a browser where a display is.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { parse } from 'yaml'
import { ProxyAgent } from 'undici'
import { packageFile } from '../../src/core/package-root.js'
import { Simulator } from '../../tools/sim/simulator.js'
import { ChildYori } from '../support/child-yori.js'
import { runCli } from '../support/cli.js'
import { needs, skip } from '../support/needs.js'
import { until } from '../support/proxied.js'
import { openaiSdk } from '../support/sdk.js'
import { tempFolder } from '../support/temp-folder.js'
import { AtTerminal } from '../support/terminal.js'

const literally = (mode: string): Record<string, unknown> =>
  parse(`
interceptors:
  - type: "live_trace"
    enabled: true
    config:
      server_port: 7100
      auto_open_browser: true
      storage_mode: "${mode}"  # "memory" (default) or "sqlite" for persistence
      enable_presidio: true   # PII detection
`) as Record<string, unknown>

const WORD = 'Oberpfaffelbach'
/** The record keeps the newest 200 characters of a prompt. */
const LONG = 'How do I true a wheel? '.repeat(20)

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.close()
  return free
}

/** All bytes of all files below. */
const below = (folder: string): Buffer =>
  Buffer.concat(
    readdirSync(folder, { withFileTypes: true }).map((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return below(path)
      return entry.isFile() ? readFileSync(path) : Buffer.alloc(0)
    }),
  )

/** What a stream says, until it has said that. */
async function told({ body }: Response, what: string): Promise<string> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(piece, { stream: true })
    if (text.includes(what) && text.endsWith('\n\n')) break
  }
  return text
}

describe('live_trace', function () {
  this.timeout(60_000)
  let simulator: Simulator
  before(async function () {
    if (!(await isFree(7100)))
      skip(this, { what: 'port 7100', brings: 'end what listens on 127.0.0.1:7100' })
    simulator = await Simulator.start()
  })
  after(() => simulator?.[Symbol.asyncDispose]())

  for (const mode of ['memory', 'sqlite'])
    it(`is at its port and shows what passes, with ${mode}`, async () => {
      await using yori = await ChildYori.start({
        origins: { 'api.openai.com': simulator },
        trust: [simulator.ca],
        config: literally(mode),
        // That of the file, not the one that other tests are given.
        env: { YORI_CONTROL_LISTEN: undefined },
      })
      const door = await fetch('http://127.0.0.1:7100/')
      assert.equal(door.status, 401)
      assert.match(await door.text(), /<script type="module"/)
      const file = yori.folder.file('yori.conf')
      const { stdout } = await runCli(['dashboard', '--config', file], {
        cwd: yori.folder.path,
      })
      assert.match(stdout, /^http:\/\/127\.0\.0\.1:7100\/login\?code=/)
      const entered = await fetch(stdout.trim(), { redirect: 'manual' })
      const [cookie = ''] = entered.headers.getSetCookie().map((one) => one.split(';')[0])
      const get = (path: string) =>
        fetch(`http://127.0.0.1:7100${path}`, { headers: { cookie } })
      assert.match(await (await get('/')).text(), /<script type="module"/)
      const live = await get('/api/events')

      const dispatcher = new ProxyAgent({
        uri: `http://127.0.0.1:${yori.port}`,
        requestTls: { ca: yori.rootPem },
      })
      await openaiSdk({ dispatcher }).chat.completions.create({
        model: 'gpt-4o-mini',
        messages: [{ role: 'user', content: `I am at anna@${WORD}.example. ${LONG}` }],
      })
      await dispatcher.close()

      // As it happens, and from the record.
      assert.match(await told(live, 'gpt-4o-mini'), /^data: .*gpt-4o-mini/m)
      const listed = async (): Promise<string> => (await get('/api/exchanges')).text()
      await until(async () => (await listed()).includes('gpt-4o-mini'))
      assert.match(await listed(), /privacy/)

      yori.cli.signal('SIGTERM')
      assert.equal(await yori.cli.exited, 0, yori.cli.stderr)
      const kinds = yori.rows('events').map((row) => String(row['event_type']))
      const calls = kinds.filter((kind) => kind.startsWith('llm.call.'))
      assert.deepEqual(
        calls,
        mode === 'sqlite' ? ['llm.call.start', 'llm.call.finish'] : [],
      )
      assert.equal(yori.rows('exchanges').length, 1)
      assert.ok(!below(yori.folder.file('state')).includes(WORD))
      assert.ok(!yori.cli.stdout.includes('/login?'), 'no terminal: no link')
    })

  it('opens a browser at a terminal with a display, and there alone', async function () {
    needs(this, 'script')
    for (const display of [':7', '']) {
      await using folder = await tempFolder()
      const opened = folder.file('opened')
      writeFileSync(folder.file('xdg-open'), `#!/bin/sh\necho "$1" > '${opened}'\n`)
      chmodSync(folder.file('xdg-open'), 0o755)
      const file = folder.file('yori.conf')
      const own = { listen: '127.0.0.1:0', state_dir: folder.file('state') }
      writeFileSync(file, JSON.stringify({ ...own, ...literally('memory') }))
      const main = packageFile('dist', 'src', 'cli', 'main.js')
      const env = `DISPLAY=${display} PATH='${folder.path}':"$PATH"`
      const line = `env ${env} '${process.execPath}' '${main}' run --config '${file}'`
      await using terminal = new AtTerminal(line, folder.path)
      const [url] = await terminal.shows(/http:\/\/127\.0\.0\.1:7100\/login\?code=[\w-]+/)
      await terminal.shows(/It works once/)
      if (display === '') {
        // The link is printed, whoever wants it.
        assert.ok(!readdirSync(folder.path).includes('opened'))
        continue
      }
      await until(() => existsSync(opened) && readFileSync(opened, 'utf8').endsWith('\n'))
      assert.equal(readFileSync(opened, 'utf8').trim(), url)
    }
  })
})
