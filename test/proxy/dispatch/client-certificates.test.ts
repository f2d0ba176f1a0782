/**
 * Certificates of ours for providers' servers (mutual TLS): made by OpenSSL, asked for by Node's
 * servers, over HTTP/1.1 and HTTP/2, in observe and in enforce. What a server saw decides: each
 * answers with the name in the certificate that it was shown.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, copyFile, readFile, writeFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import type { AddressInfo, Server, Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { TLSSocket } from 'node:tls'
import type { SecureVersion } from 'node:tls'
import { Agent, request } from 'undici'
import { loadConfig } from '../../../config/load.js'
import { formatProblem } from '../../../config/problem.js'
import { needs } from '../../support/needs.js'
import { runProgram } from '../../support/programs.js'
import { tempFolder } from '../../support/temp-folder.js'
import type { TempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import type { Issued } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'

/** Serves nobody without a certificate, and says whose it was; each answer ends its connection. */
class Asking implements AsyncDisposable {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  resumed = 0

  constructor(shown: Issued, ca: string, maxVersion: SecureVersion = 'TLSv1.3') {
    const { certificatePem: cert, keyPem: key } = shown
    const asks = { requestCert: true, rejectUnauthorized: true, ca }
    const server = createSecureServer({
      cert,
      key,
      ...asks,
      maxVersion,
      allowHTTP1: true,
    })
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    for (const name of ['tlsClientError', 'sessionError'])
      server.on(name, () => undefined)
    server.on('request', (asked, answer) => {
      const { httpVersion, socket, stream } = asked
      const tls = httpVersion === '2.0' ? stream.session?.socket : socket
      const { subject } = (tls as TLSSocket).getPeerCertificate()
      if ((tls as TLSSocket).isSessionReused()) this.resumed++
      asked.resume()
      if (httpVersion !== '2.0') answer.setHeader('connection', 'close')
      answer.setHeader('content-type', 'application/json')
      answer.end(JSON.stringify({ by: subject.CN, httpVersion }))
      if (httpVersion === '2.0') answer.on('finish', () => stream.session?.close())
    })
    this.#server = server
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

/** This machine's, as another would have: connections from it to 127.0.0.1 never leave it. */
const ELSEWHERE = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address

interface Said {
  readonly status: number
  readonly upstream: string
  readonly by: string | undefined
  readonly httpVersion: string | undefined
  readonly text: string
}

describe('a certificate of ours for a provider', () => {
  let folder: TempFolder
  let yori: Yori
  let asking: Asking
  let old: Asking
  const server = new TestCa()

  before(async function () {
    needs(this, 'openssl')
    folder = await tempFolder()
    await authority('ca')
    for (const name of ['alpha', 'beta', 'gamma']) await client(name, 'ca')
    await authority('stranger')
    await client('unknown', 'stranger')
    const ca = await readFile(folder.file('ca.pem'), 'utf8')
    const shown = server.issue({
      names: ['h1.mtls.test', 'h2.mtls.test', 'old.mtls.test'],
    })
    asking = await new Asking(shown, ca).start()
    old = await new Asking(shown, ca, 'TLSv1.2').start()
    const catalogue = folder.file('catalogue.yaml')
    const entry = { upstream: 'h2', speaks: 'openai', route: 'intercept' }
    const providers = [{ name: 'h2', hosts: ['h2.mtls.test'], ...entry }]
    await writeFile(catalogue, JSON.stringify({ providers }))
    const at = (host: string): string => `https://${host}.mtls.test`
    const pool = (host: string): object[] =>
      ['alpha', 'beta'].map((name) => ({ base_url: at(host), name, ...filesOf(name) }))
    yori = await Yori.start({
      trust: [server],
      origins: { 'h1.mtls.test': asking, 'h2.mtls.test': asking, 'old.mtls.test': old },
      config: {
        catalogue: { file: catalogue },
        access: {
          clients: ['127.0.0.0/8', ...(ELSEWHERE === undefined ? [] : [ELSEWHERE])],
        },
        gateway: {
          pools: { health_interval: 0, eject_after: 1000, breaker_requests: 10_000 },
          providers: {
            h1: { base_url: at('h1'), ...filesOf('alpha') },
            http2: { base_url: at('h2'), api: 'openai', ...filesOf('alpha') },
            old: { base_url: at('old'), ...filesOf('beta') },
            'h1-pool': { pool: pool('h1') },
            'h2-pool': { pool: pool('h2') },
            'h1-none': { base_url: at('h1') },
            'h2-none': { base_url: at('h2'), api: 'openai' },
            'old-none': { base_url: at('old') },
            'h1-unknown': { base_url: at('h1'), ...filesOf('unknown') },
            changing: { base_url: at('h1'), ...filesOf('gamma') },
          },
        },
      },
    })
  })

  after(async () => {
    // It was skipped.
    if ((yori as Yori | undefined) === undefined) return
    await yori[Symbol.asyncDispose]()
    for (const one of [asking, old]) await one[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  async function openssl(...args: string[]): Promise<void> {
    const { status, stderr } = await runProgram('openssl', args)
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
  }

  const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

  async function authority(name: string): Promise<void> {
    const out = [
      '-keyout',
      folder.file(`${name}.key`),
      '-out',
      folder.file(`${name}.pem`),
    ]
    await openssl('req', '-x509', ...EC, ...out, '-subj', `/CN=${name}`, '-days', '30')
  }

  async function client(name: string, ca: string, how = ['-days', '30']): Promise<void> {
    const { cert, key } = {
      cert: folder.file(`${name}.pem`),
      key: folder.file(`${name}.key`),
    }
    const csr = folder.file(`${name}.csr`)
    await openssl('req', ...EC, '-keyout', key, '-out', csr, '-subj', `/CN=${name}`)
    const signer = ['-CA', folder.file(`${ca}.pem`), '-CAkey', folder.file(`${ca}.key`)]
    await openssl(
      'x509',
      '-req',
      '-in',
      csr,
      ...signer,
      '-CAcreateserial',
      '-out',
      cert,
      ...how,
    )
    await chmod(key, 0o600)
  }

  function filesOf(name: string): { client_cert: string; client_key: string } {
    return {
      client_cert: folder.file(`${name}.pem`),
      client_key: folder.file(`${name}.key`),
    }
  }

  async function ask(door: string): Promise<Said> {
    const { statusCode, headers, body } = await request(
      `${yori.url}/llm/${door}/v1/models`,
    )
    const text = await body.text()
    const said = JSON.parse(text) as Partial<Said>
    const { by, httpVersion } = said
    return {
      status: statusCode,
      upstream: String(headers['x-yori-upstream']),
      by,
      httpVersion,
      text,
    }
  }

  for (const mode of ['observe', 'enforce'] as const)
    describe(`in ${mode}`, () => {
      before(() =>
        yori.reload({
          mode,
          enforcement: {
            enabled: mode === 'enforce',
            consent_accepted: mode === 'enforce',
          },
        }),
      )

      it('is shown over HTTP/1.1, HTTP/2 and TLS 1.2', async () => {
        const [one, two, three] = [await ask('h1'), await ask('http2'), await ask('old')]
        assert.deepEqual([one.by, one.httpVersion], ['alpha', '1.1'])
        assert.deepEqual([two.by, two.httpVersion], ['alpha', '2.0'])
        assert.deepEqual([three.by, three.httpVersion], ['beta', '1.1'])
      })

      for (const door of ['h1-pool', 'h2-pool'])
        it(`is each target's own, though they are one host: ${door}`, async () => {
          const before = asking.resumed
          const seen = new Set<string>()
          for (let i = 0; i < 6; i++) {
            const { by = '', upstream } = await ask(door)
            assert.equal(by, upstream)
            seen.add(by)
          }
          assert.deepEqual([...seen].toSorted(), ['alpha', 'beta'])
          // Sessions are taken up again, each under its own certificate.
          if (door === 'h1-pool')
            assert.ok(asking.resumed > before, 'no session was resumed')
        })

      for (const [door, code] of [
        ['h1-none', 'YORI_UPSTREAM_CLIENT_CERTIFICATE'],
        ['h2-none', 'YORI_UPSTREAM_CLIENT_CERTIFICATE'],
        ['old-none', 'YORI_UPSTREAM_TLS_FAILED'],
      ] as const)
        it(`without it, the client and the record are told why: ${door}`, async () => {
          // A connection that was opened by a certificate is no way in.
          for (const other of ['h1', 'http2'])
            assert.equal((await ask(other)).by, 'alpha')
          const { status, text } = await ask(door)
          assert.equal(status, 502)
          assert.match(text, new RegExp(code))
          const row = (await yori.rows('exchanges')).at(-1)
          assert.equal(row?.['code'], code)
        })

      it('of another authority, it is an error and no answer', async () => {
        const { status, by } = await ask('h1-unknown')
        assert.equal(status, 502)
        assert.equal(by, undefined)
      })
    })

  it('is read anew by a reload, and a reload that cannot read it changes nothing', async () => {
    assert.equal((await ask('changing')).by, 'gamma')
    await client('delta', 'ca')
    await copyFile(folder.file('delta.pem'), folder.file('gamma.pem'))
    // The key is yet that of before.
    await assert.rejects(
      async () => yori.reload({}),
      /gamma\.key is the key of another certificate/,
    )
    assert.equal((await ask('changing')).by, 'gamma')
    await copyFile(folder.file('delta.key'), folder.file('gamma.key'))
    await yori.reload({})
    assert.equal((await ask('changing')).by, 'delta')
  })

  it('is for nobody from elsewhere who brings no key of ours', async function () {
    needs(this, 'an address beyond loopback')
    const agent = new Agent({ localAddress: ELSEWHERE ?? '' })
    after(() => agent.destroy())
    for (const door of ['h1', 'h1-pool']) {
      const { statusCode, body } = await request(`${yori.url}/llm/${door}/v1/models`, {
        dispatcher: agent,
      })
      assert.equal(statusCode, 401)
      assert.match(await body.text(), /YORI_KEY_REQUIRED/)
    }
  })

  describe('in a configuration', () => {
    async function loaded(named: object, url = 'https://a.test'): Promise<string[]> {
      const path = folder.file('check.conf')
      const provider = { base_url: url, ...named }
      await writeFile(
        path,
        JSON.stringify({ gateway: { providers: { corp: provider } } }),
      )
      const found = loadConfig({ path, env: {}, cwd: folder.path })
      const all = found.kind === 'ok' ? found.warnings : found.problems
      return all.map((one) => `${found.kind}: ${formatProblem(one)}`)
    }

    it('is held against its key, its time, and who can read it', async () => {
      assert.deepEqual(await loaded(filesOf('alpha')), [])
      await client('mixed', 'ca')
      await copyFile(folder.file('beta.key'), folder.file('mixed.key'))
      await client('open', 'ca')
      await chmod(folder.file('open.key'), 0o640)
      await client('late', 'ca', ['-days', '-1'])
      await client('locked', 'ca')
      const [from, to] = [folder.file('alpha.key'), folder.file('locked.key')]
      await openssl('pkey', '-in', from, '-aes256', '-passout', 'pass:x', '-out', to)
      await client('empty', 'ca')
      await writeFile(folder.file('empty.pem'), 'nothing')
      for (const [name, kind, wrong] of [
        ['gone', 'invalid', /client_cert: .*gone\.pem does not exist/],
        ['mixed', 'invalid', /client_key: .*is the key of another certificate/],
        ['open', 'invalid', /client_key: .*can be read or written by others.*chmod 600/],
        ['late', 'ok', /client_cert: .*late\.pem expired on \d{4}-\d\d-\d\d/],
        ['locked', 'invalid', /client_key: .*is locked by a passphrase/],
        ['empty', 'invalid', /client_cert: .*holds no certificate/],
      ] as const) {
        const [problem = '', ...more] = await loaded(filesOf(name))
        assert.deepEqual(more, [])
        assert.match(problem, new RegExp(`^${kind}: `))
        assert.match(problem.replaceAll('\n', ' '), wrong)
      }
    })

    it('stands beside 63 others at most', async () => {
      const text = await readFile(folder.file('alpha.pem'), 'utf8')
      const pool: object[] = []
      const files: string[] = []
      for (let n = 0; n < 65; n++) {
        const file = folder.file(`many-${n}.pem`)
        // What stands before a certificate is for people (RFC 7468 §2).
        await writeFile(file, `number ${n}\n${text}`)
        files.push(file)
      }
      const { client_key } = filesOf('alpha')
      const providers: Record<string, object> = {}
      for (const [n, client_cert] of files.entries()) {
        pool.push({ base_url: 'https://a.test', client_cert, client_key })
        if (n < 63) continue
        const path = folder.file('many.conf')
        providers['one'] = { pool: pool.slice(0, 64) }
        providers['two'] = { pool: pool.slice(64) }
        await writeFile(path, JSON.stringify({ gateway: { providers } }))
        const found = loadConfig({ path, env: {}, cwd: folder.path })
        assert.equal(found.kind, n === 63 ? 'ok' : 'invalid')
        if (found.kind === 'invalid')
          assert.match(
            found.problems.map(formatProblem).join(),
            /two\.pool\[0\]\.client_cert: .*one more than 64 different certificates/,
          )
      }
    })

    it('has both halves, and a server that speaks TLS', async () => {
      const { client_cert } = filesOf('alpha')
      assert.match((await loaded({ client_cert })).join(), /given without client_key/)
      const clear = await loaded(filesOf('alpha'), 'http://127.0.0.1:1')
      assert.match(clear.join(), /client_cert.*is for https/s)
    })
  })
})
