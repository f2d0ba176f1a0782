/** A YORI that has its policies from a server of bundles: real ones over HTTP, h1 and h2. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { readBundle } from '../../src/bundle/bundle.js'
import { bundleKey } from '../../src/bundle/signature.js'
import { download } from '../../src/fleet/bundle/download.js'
import { ChildYori } from '../support/child-yori.js'
import { Cli } from '../support/cli.js'
import { tlsThroughProxy } from '../support/clients.js'
import { h2Ask } from '../support/h2.js'
import { startOrigin } from '../support/origins.js'
import { ask, certificate, get, NAME, originCa, until } from '../support/proxied.js'
import { readUntil } from '../support/streams.js'
import { tempFolder } from '../support/temp-folder.js'

const MANIFEST = '{"revision": "one", "roots": ["yori"]}'
const RULE =
  'package yori.fleet_rule\n\ndeny contains data.yori.words.why if input.request.method == "GET"\n'
const WORDS = '{"why": "the fleet says no"}'
const FILES = {
  '.manifest': MANIFEST,
  'a/rule.rego': RULE,
  'yori/words/data.json': WORDS,
}

function pack(files: Readonly<Record<string, string>>, at: string): Buffer {
  rmSync(at, { recursive: true, force: true })
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(at, path)), { recursive: true })
    writeFileSync(join(at, path), text)
  }
  return execFileSync('tar', ['-cz', '-C', at, '.'])
}

/** Serves one bundle by its ETag, and remembers what it was asked. */
class BundleServer implements AsyncDisposable {
  readonly asked: IncomingMessage[] = []
  readonly answered: number[] = []
  readonly server: Server
  packed = Buffer.alloc(0)
  etag = '"0"'
  special: ((response: ServerResponse) => void) | undefined

  constructor() {
    this.server = createServer((request, response) => {
      this.asked.push(request)
      response.on('close', () => this.answered.push(response.statusCode))
      if (this.special !== undefined) return this.special(response)
      if (request.headers.authorization !== 'Bearer of-the-fleet')
        return void response.writeHead(401).end()
      if (request.headers['if-none-match'] === this.etag)
        return void response.writeHead(304).end()
      response.writeHead(200, { etag: this.etag }).end(this.packed)
    })
  }

  async start(): Promise<this> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening')
    return this
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo
    return `http://127.0.0.1:${port}/bundle.tar.gz`
  }

  give(packed: Buffer, etag: string): void {
    this.packed = packed as Buffer<ArrayBuffer>
    this.etag = etag
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }
}

describe('policies by bundles', function () {
  it('hold in enforce over h1 and h2 from the moment they come, and go with the next', async () => {
    await using folder = await tempFolder()
    await using server = await new BundleServer().start()
    const token = folder.file('token')
    writeFileSync(token, 'of-the-fleet\n', { mode: 0o600 })
    const kept = folder.file('kept', 'bundle.yori')
    const endings: (() => void)[] = []
    await using origin = await startOrigin({
      certificate,
      handler: (request, response) => {
        if (request.url !== '/v1/slow') return void response.end('ok')
        response.write('first;')
        endings.push(() => response.end('last'))
      },
    })
    server.special = (response) => void response.writeHead(503).end()
    const { url } = server
    const config = {
      mode: 'enforce',
      enforcement: { enabled: true, consent_accepted: true },
      policies: {
        bundle: { url, poll_seconds: 0.05, token_file: token, file: kept },
        files: { fleet_rule: { action: 'block' } },
      },
    }
    const start = (): Promise<ChildYori> =>
      ChildYori.start({ config, origins: { [NAME]: origin }, trust: [originCa] })
    {
      await using yori = await start()
      const h1 = async (): Promise<string> => {
        using socket = closing(await yori.tls(NAME))
        return await ask(socket.socket, get('/v1/models'), (soFar) =>
          /\r\n\r\n[\s\S]*(ok|\})$/.test(soFar),
        )
      }
      const h2 = async (): Promise<string> => {
        const socket = await tlsThroughProxy(yori.port, NAME, {
          ca: yori.rootPem,
          ALPNProtocols: ['h2'],
        })
        const session = connect(`https://${NAME}`, { createConnection: () => socket })
        session.on('error', () => undefined)
        try {
          const { headers, body } = await h2Ask(session, { ':path': '/v1/models' })
          return `${String(headers[':status'])} ${body}`
        } finally {
          session.destroy()
        }
      }
      assert.match(await h1(), /^HTTP\/1\.1 200 /)
      const early = await yori.tls(NAME)
      early.write(get('/v1/slow'))
      await readUntil(early, (soFar) => soFar.includes('first;'))

      server.give(pack(FILES, folder.file('one')), '"one"')
      server.special = undefined
      const logged = (text: RegExp): boolean => text.test(yori.cli.stderr)
      await until(() => logged(/"revision":"one".*has taken effect/))
      assert.match(await h1(), /^HTTP\/1\.1 403 [\s\S]*the fleet says no/)
      assert.match(await h2(), /^403 [\s\S]*the fleet says no/)
      // What was under way has not been cut.
      endings.forEach((end) => end())
      await readUntil(early, (soFar) => soFar.includes('last'))
      early.destroy()
      await until(() => server.answered.filter((status) => status === 304).length > 2)
      assert.equal(statSync(kept).mode & 0o777, 0o600)

      const list = new Cli(
        ['policy', 'list', '--config', yori.folder.file('yori.conf')],
        { cwd: folder.path },
      )
      assert.equal(await list.exited, 0)
      assert.match(list.stdout, /fleet_rule +block[^\n]*bundle one\/a\/rule\.rego/)
      assert.match(list.stdout, /bundle: revision one, since /)

      // Each of these leaves the one before, and is said.
      const bad = [
        [{ ...FILES, 'a/rule.rego': `${RULE}deny if {` }, /rule\.rego:\d+:\d+: /],
        [{ ...FILES, '.manifest': '{"roots": ["acme"]}' }, /claims the root/],
        [
          { ...FILES, 'a/rule.rego': `${RULE}allow if nowhere(1)\n` },
          /undefined function nowhere/,
        ],
      ] as const
      for (const [index, [files, why]] of bad.entries()) {
        server.give(pack(files, folder.file('bad')), `"bad${index}"`)
        await until(() => logged(why))
        assert.match(await h1(), /^HTTP\/1\.1 403 /)
      }
      assert.match(yori.cli.stderr, /a bundle of policies was refused: the one before/)
      const status = new Cli(['status', '--config', yori.folder.file('yori.conf')], {
        cwd: folder.path,
      })
      await status.exited
      assert.match(status.stdout, /policies of bundle one/)
      assert.match(status.stdout, /bundle: [^\n]*undefined function nowhere/)
    }

    // With the server away, the one that is kept holds from the start on.
    server.special = (response) => void response.destroy()
    {
      await using yori = await start()
      using socket = closing(await yori.tls(NAME))
      const answer = await ask(socket.socket, get('/v1/models'))
      assert.match(answer, /^HTTP\/1\.1 403 /)
      await until(() => /did not give a bundle/.test(yori.cli.stderr))
      // The next one lacks it.
      const { 'a/rule.rego': _gone, ...rest } = FILES
      const next = { ...rest, '.manifest': MANIFEST.replace('one', 'two') }
      server.give(pack(next, folder.file('two')), '"two"')
      server.special = undefined
      await until(() => /"revision":"two".*has taken effect/.test(yori.cli.stderr))
      using later = closing(await yori.tls(NAME))
      assert.match(await ask(later.socket, get('/v1/models')), /^HTTP\/1\.1 200 /)
      assert.match(yori.cli.stderr, /no bundle has brought that policy yet/)
    }
    assert.match(
      readFileSync(kept, 'latin1'),
      /^\{"source":"[0-9a-f]{64}","etag":"\\"two/,
    )
    assert.ok(!readFileSync(kept, 'latin1').includes('of-the-fleet'))
  })

  it('are asked for by ETag, token and long poll, and never read beyond their limit', async () => {
    await using server = await new BundleServer().start()
    const { signal } = new AbortController()
    const question = {
      ...{ url: server.url, etag: null, token: 'of-the-fleet', signal },
      waitSeconds: undefined,
    }
    server.give(Buffer.from('a bundle'), '"x"')
    const first = await download(question)
    assert.ok(first.kind === 'new')
    assert.deepEqual([first.packed.toString(), first.etag], ['a bundle', '"x"'])
    const again = await download({ ...question, etag: '"x"', waitSeconds: 7 })
    assert.deepEqual(again, { kind: 'same', longPoll: false })
    assert.equal(server.asked.at(-1)?.headers.prefer, 'wait=7')
    await assert.rejects(download({ ...question, token: 'another' }), /401: look at/)
    const type = 'application/vnd.openpolicyagent.bundles'
    server.special = (response) =>
      void response.writeHead(304, { 'content-type': type }).end()
    assert.deepEqual(await download({ ...question, etag: '"x"' }), {
      kind: 'same',
      longPoll: true,
    })
    await assert.rejects(download(question), /answers 304/)
    server.special = (response) =>
      void response.writeHead(302, { location: server.url }).end()
    await assert.rejects(download(question), /302: it leads elsewhere/)
    server.special = (response) => {
      response.writeHead(200, { 'content-length': 1024 ** 3 })
      response.write('x')
    }
    await assert.rejects(download(question), /larger than 4194304 bytes/)
    server.special = (response) => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('x', () => response.destroy())
    }
    await assert.rejects(download(question), /ended before its end/)
    server.special = (response) => {
      // Node 24 tells of an error alone that its reader has left.
      const more = (error?: Error | null): void => {
        if (!(error instanceof Error) && !response.destroyed)
          response.write(Buffer.alloc(64 * 1024), more)
      }
      more()
    }
    await assert.rejects(download(question), /larger than 4194304 bytes/)
  })

  it('are packed and signed by yori bundle as system tar and a gateway read them', async () => {
    await using folder = await tempFolder()
    const run = async (...args: string[]): Promise<readonly [number, string]> => {
      const cli = new Cli(['bundle', ...args], { cwd: folder.path })
      const status = await cli.exited
      return [status, cli.stdout + cli.stderr]
    }
    const { '.manifest': _own, ...files } = FILES
    pack({ ...files, 'a/rule_test.rego': 'package x\n' }, folder.file('from'))
    const out = folder.file('out.tar.gz')
    const built = await run(
      'build',
      folder.file('from'),
      '--out',
      out,
      '--revision',
      'r7',
    )
    assert.match(built.join(), /^0,.*1 files of Rego/)
    const list = (): string =>
      execFileSync('tar', ['-tzf', out], { encoding: 'utf8' }).trim()
    assert.deepEqual(list().split('\n'), ['.manifest', ...Object.keys(files)])
    const [key, open] = [folder.file('key.pem'), folder.file('public.pem')]
    const openssl = (...args: string[]): Buffer =>
      execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    const curve = ['-pkeyopt', 'ec_paramgen_curve:P-256']
    openssl('genpkey', '-algorithm', 'EC', ...curve, '-out', key)
    chmodSync(key, 0o644)
    assert.match((await run('sign', out, '--key', key)).join(), /read by others/)
    chmodSync(key, 0o600)
    assert.match((await run('sign', out, '--key', key)).join(), /^0,.*3 files signed/)
    assert.match(list(), /\n\.signatures\.json$/)
    openssl('pkey', '-in', key, '-pubout', '-out', open)
    const rules = {
      roots: ['yori'],
      key: bundleKey(readFileSync(open, 'utf8'), 'verify'),
    }
    const bundle = await readBundle(readFileSync(out), rules)
    assert.deepEqual([bundle.revision, bundle.isSigned], ['r7', true])
    pack({ 'x.rego': 'package acme.x\n' }, folder.file('foreign'))
    const [status, why] = await run('build', folder.file('foreign'), '--out', out)
    assert.notEqual(status, 0)
    assert.match(why, /the package acme\.x, outside its roots yori/)
  })

  it('may be named before a bundle has brought them: a note of config check', async () => {
    await using folder = await tempFolder()
    const file = folder.file('yori.conf')
    const check = async (bundle: object): Promise<readonly [number, string]> => {
      const policies = { bundle, files: { not_yet: { action: 'block' } } }
      writeFileSync(file, JSON.stringify({ state_dir: folder.file('state'), policies }))
      const cli = new Cli(['config', 'check', '--config', file], { cwd: folder.path })
      const status = await cli.exited
      return [status, cli.stdout + cli.stderr]
    }
    const url = 'https://bundles.example/yori.tar.gz'
    const [status, told] = await check({ url })
    assert.equal(status, 0, told)
    assert.match(told, /not_yet.*no bundle has brought a policy of that name yet/)
    const [, plain] = await check({ url: 'http://bundles.example/yori.tar.gz' })
    assert.match(plain, /plain HTTP and without a signature/)
    const [both, twice] = await check({ url, token: 'x', token_file: 'y' })
    assert.notEqual(both, 0)
    assert.match(twice, /is given beside token_file/)
    const [, idle] = await check({ poll_seconds: 5 })
    assert.match(idle, /brings nothing without url/)
  })
})

function closing<S extends { destroy(): unknown }>(socket: S) {
  return { socket, [Symbol.dispose]: () => void socket.destroy() }
}
