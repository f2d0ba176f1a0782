/** The four ways in on one port, who may use them, and where they lead. */
import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ConnectionOptions } from 'node:tls'
import { packageFile } from '../../../src/core/package-root.js'
import { ConnectRefused, connectThroughProxy } from '../../support/clients.js'
import { rawTcpClient, rawTlsClient } from '../../support/clients.js'
import { hashPassword } from '../../../src/net/password.js'
import { DnsServer } from '../../support/dns-server.js'
import { Namespaces } from '../../support/namespaces.js'
import { startOrigin } from '../../support/origins.js'
import { ask, behind, certificate, disposable, get } from '../../support/proxied.js'
import { NAME, originCa, until } from '../../support/proxied.js'
import { readUntil } from '../../support/streams.js'
import { tempFolder } from '../../support/temp-folder.js'
import { TestCa } from '../../support/test-ca.js'
import { Yori } from '../../support/yori.js'
import type { Row } from '../../support/yori.js'
import { NAMESPACES, needs } from '../../support/needs.js'

const ok = (_request: IncomingMessage, response: ServerResponse): void =>
  void response.end('from the provider')

const whole = (soFar: string): boolean => {
  const end = soFar.indexOf('\r\n\r\n')
  const length = /content-length: (\d+)/i.exec(soFar)
  return end > 0 && soFar.length >= end + 4 + Number(length?.[1] ?? 0)
}

/** One plain request on the listening port; the whole answer. */
async function plain(yori: Yori, text: string): Promise<string> {
  const socket = await rawTcpClient(yori.port)
  try {
    socket.write(text)
    return (
      await readUntil(socket, (soFar) => whole(soFar.toString('latin1')))
    ).toString()
  } finally {
    socket.destroy()
  }
}

const asking = (target: string, host: string, ...fields: string[]): string =>
  [`GET ${target} HTTP/1.1`, `Host: ${host}`, ...fields, '', ''].join('\r\n')

/** TLS on the listening port itself. */
function dialled(
  yori: Yori,
  options: ConnectionOptions,
): ReturnType<typeof rawTlsClient> {
  return rawTlsClient({ port: yori.port, ca: yori.rootPem, ...options })
}

async function connectRefusal(yori: Yori, host: string, port: number): Promise<string> {
  const asked = connectThroughProxy(yori.port, host, port)
  const error: unknown = await asked.then(
    (socket) => void socket.destroy(),
    (cause: unknown) => cause,
  )
  assert.ok(error instanceof ConnectRefused, `CONNECT ${host}:${port} was granted`)
  return error.answer
}

async function lastConnection(yori: Yori, count = 1): Promise<Row | undefined> {
  let rows: Row[] = []
  await until(async () => (rows = await yori.rows('connections')).length >= count)
  return rows.at(-1)
}

describe('CONNECT', () => {
  it('to an endpoint by name is intercepted', async () => {
    await using setup = await behind(ok)
    using socket = disposable(await setup.yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'), whole)
    assert.match(answer, /from the provider$/)
  })

  it('to an address is led by the name in the ClientHello, to that very address', async () => {
    await using dns = await DnsServer.start()
    await using origin = await startOrigin({ certificate, handler: ok })
    await using yori = await Yori.start({
      trust: [originCa],
      config: {
        upstream: { dns: [dns.address] },
        access: { ports: [origin.port], allow_destinations: ['127.0.0.1'] },
      },
    })
    const port = { port: origin.port }
    using socket = disposable(await yori.tls('127.0.0.1', { servername: NAME, ...port }))
    const host = asking('/v1/models', `${NAME}:${origin.port}`)
    assert.match(await ask(socket.stream, host, whole), /from the provider$/)
    assert.deepEqual(dns.questions, [])
    const [row] = await yori.rows('exchanges')
    assert.equal(row?.['endpoint_domain'], NAME)
  })

  it('to one name with another endpoint in the ClientHello gets 421', async () => {
    await using setup = await behind(ok)
    const { yori } = setup
    using socket = disposable(await yori.tls('api.anthropic.com', { servername: NAME }))
    assert.match(await ask(socket.stream, get('/'), whole), /^HTTP\/1\.1 421 /)
  })

  for (const [title, target] of [
    ['no port', NAME],
    ['a path', '/x'],
    ['port 0', `${NAME}:0`],
    ['a port beyond 65535', `${NAME}:65536`],
    ['a user', `a@${NAME}:443`],
    ['nothing', ':443'],
  ] as const) {
    it(`with ${title} gets 400`, async () => {
      await using yori = await Yori.start()
      const answer = await plain(yori, `CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`)
      assert.match(answer, /^HTTP\/1\.1 400 /)
    })
  }

  it('to ports that access does not name gets 403', async () => {
    await using yori = await Yori.start({ config: { access: { ports: [443, 563] } } })
    assert.match(await connectRefusal(yori, 'some.test', 25), /^HTTP\/1\.1 403 /)
    assert.match(await connectRefusal(yori, NAME, 8443), /^HTTP\/1\.1 403 /)
    assert.doesNotMatch(await connectRefusal(yori, '10.0.0.1', 563), /port 563/)
  })

  it('that is refused does not leave its connection behind', async () => {
    await using yori = await Yori.start()
    const socket = await rawTcpClient(yori.port)
    socket.on('error', () => undefined)
    socket.write('CONNECT some.test:25 HTTP/1.1\r\nHost: some.test:25\r\n\r\n')
    await readUntil(socket, (soFar) => whole(soFar.toString()))
    // The client keeps its side open for ever; YORI does not.
    assert.equal((await lastConnection(yori))?.['coverage'], 'refused')
    socket.destroy()
  })

  it('through TLS to our own site works like any other', async () => {
    await using setup = await behind(ok)
    const outer = await dialled(setup.yori, { servername: 'localhost' })
    outer.write(`CONNECT ${NAME}:443 HTTP/1.1\r\nHost: ${NAME}:443\r\n\r\n`)
    await readUntil(outer, (soFar) => soFar.includes('\r\n\r\n'))
    using inner = disposable(
      await rawTlsClient({ socket: outer, servername: NAME, ca: setup.yori.rootPem }),
    )
    assert.match(await ask(inner.stream, get('/'), whole), /from the provider$/)
    outer.destroy()
  })
})

describe('TLS that dialled us', () => {
  it("with an endpoint's name is intercepted", async () => {
    await using setup = await behind(ok)
    using socket = disposable(await dialled(setup.yori, { servername: NAME }))
    assert.match(await ask(socket.stream, get('/v1/models'), whole), /provider$/)
    socket.stream.destroy()
    const row = await lastConnection(setup.yori)
    assert.equal(row?.['way'], 'dialled')
    assert.equal(row['coverage'], 'inspected')
  })

  for (const [title, endpoint] of [
    ['is off', { enabled: false }],
    ['is left alone', { route: 'tunnel' }],
  ] as const) {
    it(`goes on to the provider untouched when the endpoint ${title}`, async () => {
      const config = { endpoints: [{ domain: NAME, ...endpoint }] }
      await using setup = await behind(ok, config)
      const ca = originCa.certificatePem
      using socket = disposable(await dialled(setup.yori, { servername: NAME, ca }))
      assert.match(await ask(socket.stream, get('/'), whole), /from the provider$/)
      socket.stream.destroy()
      const row = await lastConnection(setup.yori)
      assert.equal(row?.['coverage'], 'tunnel-endpoint-off')
      assert.deepEqual(await setup.yori.rows('exchanges'), [])
    })
  }

  it('gets a TLS alert when the endpoint is refused', async () => {
    const config = { endpoints: [{ domain: NAME, route: 'refuse' }] }
    await using setup = await behind(ok, config)
    await assert.rejects(dialled(setup.yori, { servername: NAME }), {
      code: 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
    })
    const row = await lastConnection(setup.yori)
    assert.equal(row?.['coverage'], 'refused')
    assert.equal(row['code'], 'YORI_ENDPOINT_REFUSED')
    assert.equal(setup.origin.accepted, 0)
  })

  it('in our own name, or in none, reaches our own site', async () => {
    await using yori = await Yori.start()
    using named = disposable(await dialled(yori, { servername: 'localhost' }))
    const health = asking('/health', `localhost:${yori.port}`)
    assert.match(await ask(named.stream, health, whole), /^HTTP\/1\.1 200 /)
    const identity = { checkServerIdentity: () => undefined }
    using unnamed = disposable(await dialled(yori, identity))
    assert.match(await ask(unnamed.stream, health, whole), /"status":"healthy"/)
  })

  it('in an unknown name gets a TLS alert', async () => {
    await using yori = await Yori.start()
    await assert.rejects(dialled(yori, { servername: 'www.example.org' }), {
      code: 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
    })
  })

  it('sees the certificate that the operator gave', async () => {
    const ca = new TestCa()
    const issued = ca.issue({ names: ['yori.home.arpa'] })
    await using scratch = await Yori.start()
    const [cert, key] = [scratch.folder.file('site.pem'), scratch.folder.file('site.key')]
    writeFileSync(cert, issued.certificatePem)
    writeFileSync(key, issued.keyPem, { mode: 0o600 })
    const own = { access: { own_names: ['yori.home.arpa'] } }
    await using yori = await Yori.start({
      config: { proxy: { tls_cert: cert, tls_key: key }, ...own },
    })
    const options = { servername: 'yori.home.arpa', ca: ca.certificatePem }
    using socket = disposable(await dialled(yori, options))
    const answer = await ask(socket.stream, asking('/health', 'yori.home.arpa'), whole)
    assert.match(answer, /^HTTP\/1\.1 200 /)
  })
})

describe('a request in the clear', () => {
  it('in absolute-form to an endpoint is governed and sent on over TLS', async () => {
    let host: string | undefined
    await using setup = await behind((request, response) => {
      host = request.headers.host
      ok(request, response)
    })
    const target = `http://${NAME}/v1/models?x=1`
    assert.match(await plain(setup.yori, asking(target, 'ignored.test')), /provider$/)
    assert.equal(host, NAME)
    const [row] = await setup.yori.rows('exchanges')
    assert.equal(row?.['endpoint_domain'], NAME)
    assert.equal(row['http_path'], '/v1/models')
  })

  it('in absolute-form to another host is relayed and not recorded', async () => {
    const seen: string[] = []
    await using origin = await startOrigin({
      handler: (request, response) => {
        seen.push(`${request.url} ${request.headers.host}`, ...request.rawHeaders)
        ok(request, response)
      },
    })
    await using yori = await Yori.start({ origins: { 'other.test': origin } })
    const text = asking(
      'http://other.test/a?b',
      'x.test',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eDp5',
      'X-Own: 1',
    )
    assert.match(await plain(yori, text), /^HTTP\/1\.1 200 [^]*from the provider$/)
    assert.equal(seen[0], '/a?b other.test')
    assert.ok(seen.includes('X-Own'))
    assert.ok(!seen.some((text) => /^proxy-/i.test(text)))
    assert.deepEqual(await yori.rows('exchanges'), [])
    assert.equal((await lastConnection(yori))?.['coverage'], 'tunnel-not-endpoint')
  })

  for (const [title, target, host] of [
    ['with Host an endpoint', '/v1/models', NAME],
    ['to our own host with an API path', '/v1/chat/completions', 'localhost'],
    ['to our own address with an API path', '/v1/models', '127.0.0.1'],
  ] as const) {
    it(`${title} is governed and sent on over TLS`, async () => {
      let seen: string | undefined
      await using setup = await behind((request, response) => {
        seen = `${request.headers.host} ${request.url}`
        assert.equal(request.headers['proxy-authorization'], undefined)
        ok(request, response)
      })
      const text = asking(target, host, 'Proxy-Authorization: Basic eDp5')
      assert.match(await plain(setup.yori, text), /from the provider$/)
      assert.equal(seen, `${NAME} ${target}`)
      assert.equal((await setup.yori.rows('exchanges')).length, 1)
    })
  }

  it('over the direct limit gets 413', async () => {
    await using setup = await behind(ok, { proxy: { max_request_size: 1000 } })
    const text = asking('/v1/chat/completions', 'localhost', 'Content-Length: 1001')
    assert.match(await plain(setup.yori, text.replace('GET', 'POST')), /^HTTP\/1\.1 413 /)
  })

  it('asks for our health', async () => {
    await using yori = await Yori.start()
    const answer = await plain(yori, asking('/health', `127.0.0.1:${yori.port}`))
    const body = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4)) as object
    assert.equal((body as { status: string }).status, 'healthy')
    assert.equal((body as { mode: string }).mode, 'observe')
    assert.equal((body as { enforcement_enabled: boolean }).enforcement_enabled, false)
  })

  for (const [target, host, status] of [
    ['/llm/nobody/v1/models', 'localhost', 502],
    ['/mcp/x', 'localhost', 404],
    ['/trust/', 'localhost', 404],
    ['/yori-root.key', 'localhost', 404],
    ['/', 'www.example.org', 404],
    ['/yori/override', 'localhost', 404],
    ['/.well-known/yori/override', 'localhost', 404],
    ['/health', 'www.example.org', 404],
    ['/health', '192.0.2.1', 404],
  ] as const) {
    it(`for ${target} at ${host} gets ${status}`, async () => {
      await using yori = await Yori.start()
      const answer = await plain(yori, asking(target, host))
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
      assert.match(answer, /x-yori-request-id: [0-9a-f-]{36}/)
    })
  }

  for (const field of ['Origin: https://evil.example', 'Sec-Fetch-Site: cross-site']) {
    it(`with ${field} gets 403`, async () => {
      await using setup = await behind(ok)
      const { yori } = setup
      for (const [target, host] of [
        ['/health', 'localhost'],
        ['/v1/chat/completions', 'localhost'],
        ['/v1/models', NAME],
      ] as const) {
        const answer = await plain(yori, asking(target, host, field))
        assert.match(answer, /^HTTP\/1\.1 403 [^]*YORI_CLIENT_CROSS_SITE/)
      }
      assert.equal(setup.origin.accepted, 0)
    })
  }

  it('identifies nobody by Forwarded or X-Forwarded-For', async () => {
    await using setup = await behind(ok)
    const fields = ['X-Forwarded-For: 192.0.2.66', 'Forwarded: for=192.0.2.66']
    await plain(setup.yori, asking('/v1/models', NAME, ...fields))
    const [row] = await setup.yori.rows('exchanges')
    assert.equal(row?.['device_ip'], '127.0.0.1')
  })

  it('that is neither HTTP nor TLS ends the connection', async () => {
    await using yori = await Yori.start()
    const socket = await rawTcpClient(yori.port)
    socket.write('\x00\x01\x02 nonsense\r\n')
    await once(socket.resume(), 'end')
    socket.destroy()
    assert.equal((await lastConnection(yori))?.['code'], 'YORI_REQUEST_MALFORMED')
  })
})

/** One name a case: what the DNS server answers, and what the client must see. */
const resolved: readonly (readonly [string, RegExp])[] = [
  ...[
    ...['0.0.0.0', '0.1.2.3', '10.1.2.3', '100.64.0.1', '100.127.255.254'],
    ...['169.254.169.254', '172.16.0.1', '172.31.255.254', '192.0.0.8', '192.168.1.1'],
    ...['198.18.0.1', '198.19.255.254', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
    ...['::', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'ff02::1', '64:ff9b:1::1'],
    ...['64:ff9b::10.0.0.1', '64:ff9b::127.0.0.1', '2002:a00:1::1', '2002:c0a8:1::1'],
    ...['fec0::1', '192.88.99.1', '2001:0:a00:1::1'],
  ].map((address) => [address, /^HTTP\/1\.1 403 [^]*DESTINATION_REFUSED/] as const),
  ...['127.0.0.1', '127.8.9.10', '::1'].map(
    (address) => [address, /^HTTP\/1\.1 502 [^]*YORI_UPSTREAM_LOOP/] as const,
  ),
]

describe('the guard on resolved addresses', () => {
  for (const [address, expected] of resolved) {
    it(`refuses a name that resolves to ${address}, by CONNECT and in absolute-form`, async () => {
      await using dns = await DnsServer.start()
      dns.answer = (_name, family) => ({
        kind: 'addresses',
        addresses: (family === 6) === address.includes(':') ? [address] : [],
        ttl: 60,
      })
      await using yori = await Yori.start({
        config: { upstream: { dns: [dns.address] } },
      })
      assert.match(await connectRefusal(yori, 'sly.test', 443), expected)
      assert.match(await plain(yori, asking('http://sly.test/', 'sly.test')), expected)
    })
  }

  it('refuses addresses of v4 mapped into v6 wherever they are written', async () => {
    await using yori = await Yori.start()
    for (const [address, expected] of [
      ['::ffff:10.0.0.1', /403 [^]*DESTINATION_REFUSED/],
      ['::ffff:a9fe:a9fe', /403 [^]*DESTINATION_REFUSED/],
      ['::ffff:7f00:1', /502 [^]*YORI_UPSTREAM_LOOP/],
    ] as const) {
      assert.match(await connectRefusal(yori, address, 443), expected)
      assert.match(await plain(yori, asking(`http://[${address}]/`, 'x')), expected)
    }
  })

  it('refuses an endpoint whose name resolves inward, in its own shape', async () => {
    await using dns = await DnsServer.start()
    dns.answer = (_name, family) => ({
      kind: 'addresses',
      addresses: family === 4 ? ['192.168.1.1'] : [],
      ttl: 60,
    })
    await using yori = await Yori.start({ config: { upstream: { dns: [dns.address] } } })
    using socket = disposable(await yori.tls(NAME))
    const answer = await ask(socket.stream, get('/v1/models'), whole)
    assert.match(answer, /^HTTP\/1\.1 403 [^]*"error":\{[^]*DESTINATION_REFUSED/)
  })

  it('dials the address that passed, whatever the name says a moment later', async () => {
    await using dns = await DnsServer.start()
    await using good = await startOrigin({ handler: ok })
    const answers = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
    dns.answer = (_name, family) => {
      const addresses = family === 4 ? answers.splice(0, 1) : []
      return { kind: 'addresses', addresses, ttl: 0 }
    }
    await using yori = await Yori.start({
      config: {
        upstream: { dns: [dns.address] },
        access: { plain_ports: [good.port], allow_destinations: ['127.0.0.1'] },
      },
    })
    const target = `http://rebinding.test:${good.port}/`
    assert.match(await plain(yori, asking(target, 'x')), /from the provider$/)
  })

  it('dials private addresses that access.allow_destinations names', async () => {
    await using origin = await startOrigin({ handler: ok })
    const access = { plain_ports: [origin.port], allow_destinations: ['127.0.0.0/30'] }
    await using yori = await Yori.start({ config: { access } })
    const at = (address: string): string => `http://${address}:${origin.port}/`
    assert.match(await plain(yori, asking(at('127.0.0.1'), 'x')), /from the provider$/)
    assert.match(await plain(yori, asking(at('127.0.0.5'), 'x')), /YORI_UPSTREAM_LOOP/)
  })

  it('ends a circle of its own configuration at its first turn', async () => {
    await using first = await Yori.start()
    const { port } = first
    await first[Symbol.asyncDispose]()
    const access = { allow_destinations: ['127.0.0.0/8'], ports: [port] }
    const upstream = { resolve: { [NAME]: `127.0.0.1:${port}` } }
    const config = { listen: `127.0.0.1:${port}`, access, upstream }
    await using circle = await Yori.start({ config })
    const loop = /^HTTP\/1\.1 502 [^]*YORI_UPSTREAM_LOOP/
    assert.match(await connectRefusal(circle, '127.0.0.2', port), loop)
    assert.match(await plain(circle, asking('/v1/models', NAME)), loop)
  })
})

describe('clients beyond loopback', () => {
  it('get nothing until access names them, and endpoints only until relay is all', async function () {
    needs(this, ...NAMESPACES)
    await using machines = new Namespaces(['client', 'router'])
    machines.link({
      from: { machine: 'client', name: 'eth0', addresses: ['10.78.0.2/24'] },
      to: { machine: 'router', name: 'lan0', addresses: ['10.78.0.1/24'] },
    })
    await using folder = await tempFolder()
    const file = folder.file('yori.conf')
    const configure = (access: object): void => {
      // Nothing answers there: a client that is let in sees 502 in the provider's name.
      const upstream = { resolve: { [NAME]: '127.0.0.1:9' } }
      const rest = { listen: '10.78.0.1:8443', state_dir: folder.file('state'), upstream }
      writeFileSync(file, JSON.stringify({ ...rest, access }))
    }
    configure({})
    const cli = packageFile('dist', 'src', 'cli', 'main.js')
    const yori = machines.spawn('router', process.execPath, [
      cli,
      'run',
      '--config',
      file,
    ])
    while (!(await yori.line()).includes('Ctrl-C')) continue
    const reload = (access: object): void => {
      configure(access)
      yori.child.kill('SIGHUP')
    }
    const ask = (...args: string[]): string => {
      const fixed = ['--silent', '--max-time', '5', '--output', '/dev/null']
      const format = ['--insecure', '--write-out', '%{http_connect}_%{http_code}']
      const proxy = ['--proxy', 'http://10.78.0.1:8443']
      try {
        return machines.run(
          'client',
          ['curl', ...fixed, ...format, ...proxy, ...args].join(' '),
        )
      } catch (error) {
        return String((error as { stdout?: string }).stdout)
      }
    }
    const models = `https://${NAME}/v1/models`
    assert.equal(ask(models), '403_000')
    const site = (path: string): string =>
      ask('--noproxy', '*', `http://10.78.0.1:8443${path}`)
    assert.equal(site('/health'), '000_403')
    // What a device needs to come to trust us, and nothing else. Interfaces are read every
    // five seconds, and one that was not quite up at the start is seen then.
    await until(() => site('/') === '000_200')
    for (const path of ['/', '/yori-root.cer', '/trust/result'])
      assert.equal(site(path), '000_200', path)
    for (const path of ['/proxy.pac', '/override', '/v1/models', '/llm/openai/'])
      assert.equal(site(path), '000_403', path)
    const url = 'http://10.78.0.1:8443/'
    const page = machines.run('client', `curl --silent --noproxy * ${url}`)
    assert.ok(page.includes(`<a href="${url}">`) && page.includes('10.78.0.2'), page)

    reload({ trust_page: 'clients' })
    await until(() => site('/') === '000_403')

    reload({ clients: ['10.78.0.2'] })
    await until(() => ask(models) === '200_502')
    assert.equal(ask('https://other.test/'), '403_000')
    assert.equal(ask('http://other.test/'), '000_403')
    assert.equal(ask('--noproxy', '*', 'http://10.78.0.1:8443/health'), '000_200')

    reload({ clients: ['lan0'], relay: 'all' })
    await until(() => ask('https://192.0.2.1/') === '200_000')
    assert.equal(ask(models), '200_502')
    assert.equal(ask('https://192.168.77.1/'), '403_000')
    assert.equal(ask('https://10.78.0.1/'), '502_000')

    const hash = await hashPassword('correct horse')
    reload({ clients: ['lan0'], users: [{ name: 'kim', password_hash: hash }] })
    await until(() => ask(models) === '407_000')
    const as = (user: string): string[] => ['--proxy-user', user]
    assert.equal(ask(...as('kim:wrong'), models), '407_000')
    assert.equal(ask(...as('eve:correct%20horse'), models), '407_000')
    assert.equal(ask('http://api.openai.com/'), '000_407')
    // Libraries that call us as their server take 407 for a fault of the network.
    const direct = ['--noproxy', '*', 'http://10.78.0.1:8443/v1/messages']
    assert.equal(ask(...direct), '000_401')
    const told = machines.run('client', `curl --silent ${direct.join(' ')}`)
    const anthropic = new Anthropic({
      apiKey: 'simulated-key',
      fetch: () => Promise.resolve(new Response(told, { status: 401 })),
    })
    await assert.rejects(anthropic.models.list(), (error) => {
      assert.ok(error instanceof Anthropic.AuthenticationError)
      assert.match(error.message, /user and a password.*Proxy-Authorization: Basic/)
      return true
    })
    assert.equal(ask('--noproxy', '*', 'http://10.78.0.1:8443/health'), '000_200')
    const right = ['Proxy-Authorization:', basic('kim:correct horse')].join('')
    assert.equal(ask('--proxy-header', right, models), '200_502')
    assert.equal(ask('--header', right, 'http://api.openai.com/'), '000_502')
    assert.equal(ask('--header', right, ...direct), '000_502')
  })
})

/** Without white space: the helper that runs programs knows no quotes. */
function basic(credentials: string): string {
  return `Basic\t${Buffer.from(credentials).toString('base64')}`
}
