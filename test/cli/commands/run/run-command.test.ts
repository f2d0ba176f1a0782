/** `yori run` as a person or a supervisor meets it: a child process, signals, exit codes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { rawTlsClient, tlsThroughProxy } from '../../../support/clients.js'
import { Cli, runCli } from '../../../support/cli.js'
import { startOrigin } from '../../../support/origins.js'
import type { Origin } from '../../../support/origins.js'
import { certificate, get, NAME, originCa } from '../../../support/proxied.js'
import { readUntil } from '../../../support/streams.js'
import { TcpServer } from '../../../support/tcp.js'
import { tempFolder } from '../../../support/temp-folder.js'
import type { TempFolder } from '../../../support/temp-folder.js'
import { skip } from '../../../support/needs.js'

/** An origin that begins an event stream, and what it takes to end it. */
async function streamingOrigin(): Promise<Origin & { finish(): void; event(): void }> {
  let finish: (() => void) | undefined
  let event: (() => void) | undefined
  const origin = await startOrigin({
    certificate,
    handler: (request, response) => {
      if (request.url !== '/stream') {
        response.end('short')
        return
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: first\n\n')
      event = () => response.write('data: next\n\n')
      finish = () => response.end('data: last\n\n')
    },
  })
  return Object.assign(origin, {
    finish: () => finish?.(),
    event: () => event?.(),
  })
}

function write(folder: TempFolder, config: Record<string, unknown>): string {
  const file = folder.file('yori.conf')
  const extra = folder.file('extra.pem')
  writeFileSync(extra, originCa.certificatePem)
  const { upstream, ...rest } = config
  writeFileSync(
    file,
    JSON.stringify({
      listen: '127.0.0.1:0',
      state_dir: folder.file('state'),
      upstream: { extra_ca: [extra], ...(upstream as object | undefined) },
      ...rest,
    }),
  )
  return file
}

const BLOCKS = {
  mode: 'enforce',
  enforcement: { enabled: true, consent_accepted: true },
  policies: { files: { default: { action: 'block' } } },
}

interface Running extends AsyncDisposable {
  readonly cli: Cli
  readonly port: number
  readonly folder: TempFolder
  readonly file: string
  tls(): Promise<TLSSocket>
}

async function running(config: Record<string, unknown> = {}): Promise<Running> {
  const folder = await tempFolder()
  const file = write(folder, config)
  const cli = new Cli(['run', '--config', file], { cwd: folder.path })
  const [, port] = await cli.printed(/listening +127\.0\.0\.1:(\d+)/)
  await cli.printed(/YORI is running/)
  return {
    cli,
    port: Number(port),
    folder,
    file,
    tls: async () => {
      const ca = readFileSync(folder.file('state', 'yori-root.pem'))
      const socket = await tlsThroughProxy(Number(port), NAME, { ca })
      return socket.on('error', () => undefined)
    },
    async [Symbol.asyncDispose]() {
      await cli[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

const told = (stderr: string): string =>
  stderr
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'))
    .join('\n')

function assertNoStack(text: string): void {
  assert.doesNotMatch(text, /^\s+at .*[:(]\d+/m)
  assert.doesNotMatch(text, /node:internal/)
}

describe('yori run', () => {
  it('prints what runs and what to do next', async () => {
    await using setup = await running()
    const { stdout } = setup.cli
    assert.match(stdout, /^YORI {2}observe, nothing is blocked$/m)
    assert.match(stdout, new RegExp(`configuration +${setup.file}`))
    assert.match(stdout, /SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}$/m)
    assert.match(stdout, /intercepting +api\.openai\.com/)
    assert.match(stdout, /HTTPS_PROXY=http:\/\/127\.0\.0\.1:\d+ curl --cacert \S+ https/)
    assert.equal(statSync(setup.folder.file('state')).mode & 0o777, 0o700)
    const lines = setup.cli.stderr.trim().split('\n')
    for (const line of lines) assert.equal(typeof JSON.parse(line), 'object')
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends with 0 on ${signal}, after what is under way`, async () => {
      await using origin = await streamingOrigin()
      await using setup = await running({ upstream: resolving(origin) })
      const socket = await setup.tls()
      socket.write(get('/stream'))
      await readUntil(socket, (soFar) => soFar.includes('first'))
      setup.cli.signal(signal)
      await setup.cli.printed(/stopping/)
      const refused = connect(setup.port, '127.0.0.1')
      const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
      // Reset where it was still in the backlog of the listener that closed.
      assert.match(error.code ?? '', /^(ECONNREFUSED|ECONNRESET)$/)
      origin.finish()
      await readUntil(socket, (soFar) => soFar.includes('last'))
      assert.equal(await setup.cli.exited, 0)
      assert.match(setup.cli.stderr, /"msg":"stopped"/)
      assert.equal(told(setup.cli.stderr), '')
    })
  }

  it('ends at once on a second signal', async () => {
    await using origin = await streamingOrigin()
    await using setup = await running({ upstream: resolving(origin) })
    const socket = await setup.tls()
    socket.write(get('/stream'))
    await readUntil(socket, (soFar) => soFar.includes('first'))
    setup.cli.signal('SIGTERM')
    await setup.cli.printed(/stopping/)
    setup.cli.signal('SIGTERM')
    assert.equal(await setup.cli.exited, 0)
    socket.destroy()
  })

  it('ends with 0 after timeouts.drain although a stream goes on', async () => {
    await using origin = await streamingOrigin()
    const upstream = resolving(origin)
    await using setup = await running({ upstream, timeouts: { drain: 1 } })
    const socket = await setup.tls()
    socket.write(get('/stream'))
    await readUntil(socket, (soFar) => soFar.includes('first'))
    setup.cli.signal('SIGTERM')
    assert.equal(await setup.cli.exited, 0)
    socket.destroy()
  })

  it('reloads on SIGHUP for new connections; a stream that runs goes on', async () => {
    await using origin = await streamingOrigin()
    const upstream = resolving(origin)
    const timeouts = { drain: 1 }
    await using setup = await running({ upstream, timeouts })
    const socket = await setup.tls()
    socket.write(get('/stream'))
    await readUntil(socket, (soFar) => soFar.includes('first'))

    const endpoints = [{ domain: NAME, enabled: false }]
    write(setup.folder, { upstream, timeouts, endpoints })
    setup.cli.signal('SIGHUP')
    await setup.cli.printed(/"msg":"reloaded"/)

    // Tunnelled now: the certificate is the provider's own.
    const tunnelled = await tlsThroughProxy(setup.port, NAME, {
      ca: originCa.certificatePem,
    })
    tunnelled.destroy()
    // Longer than the drain of a stop: a reload has no reason to cut anything.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    origin.event()
    await readUntil(socket, (soFar) => soFar.includes('next'))
    origin.finish()
    await readUntil(socket, (soFar) => soFar.includes('last'))
    socket.destroy()
  })

  it('keeps serving when the new file is not valid, and says line and key', async () => {
    await using origin = await streamingOrigin()
    await using setup = await running({ upstream: resolving(origin) })
    writeFileSync(setup.file, 'mode: observe\nlimits:\n  connectoins: 5\n')
    setup.cli.signal('SIGHUP')
    const [line] = await setup.cli.printed(/^.*not reloaded.*$/m)
    assert.match(line, /yori\.conf:3/)
    assert.match(line, /limits\.connectoins/)
    const socket = await setup.tls()
    socket.write(get('/short'))
    await readUntil(socket, (soFar) => soFar.includes('short'))
    socket.destroy()
  })

  for (const [title, spoil] of [
    ['is empty', (file: string) => writeFileSync(file, '')],
    ['has nothing but comments', (file: string) => writeFileSync(file, '# nothing\n')],
    ['is null', (file: string) => writeFileSync(file, 'null\n')],
    ['is gone', (file: string) => rmSync(file)],
  ] as const) {
    it(`keeps serving when its file ${title}, with its policies and where it listened`, async () => {
      await using origin = await streamingOrigin()
      await using setup = await running({ upstream: resolving(origin), ...BLOCKS })
      spoil(setup.file)
      setup.cli.signal('SIGHUP')
      await setup.cli.printed(/^.*not reloaded.*$/m)
      const socket = await setup.tls()
      socket.write(get('/short'))
      await readUntil(socket, (soFar) => soFar.includes('Blocked by YORI'))
      socket.destroy()
    })
  }

  it('does not go on without a file that it had found by itself', async () => {
    await using folder = await tempFolder()
    // `./yori.conf` is the last of the places where it looks.
    write(folder, BLOCKS)
    await using cli = new Cli(['run'], { cwd: folder.path })
    await cli.printed(/YORI is running/)
    rmSync(folder.file('yori.conf'))
    cli.signal('SIGHUP')
    const [line] = await cli.printed(/^.*not reloaded.*$/m)
    assert.match(line, /yori\.conf: does not exist/)
  })

  it('does not start with a file that says nothing, nor does config check take it', async () => {
    await using folder = await tempFolder()
    const file = write(folder, {})
    writeFileSync(file, '# to be written\n')
    for (const args of [['run'], ['config', 'check']]) {
      const ran = await runCli([...args, '--config', file], { cwd: folder.path })
      assert.notEqual(ran.status, 0)
      assert.match(ran.stdout + ran.stderr, /yori\.conf: holds no configuration/)
    }
  })

  it('says so in one line when the port is taken', async () => {
    await using taken = await TcpServer.start()
    await using folder = await tempFolder()
    // Each of these has something of its own that waits, such as a thread: it ends, too.
    const types = ['http_recorder', 'event_recorder', 'message_logger', 'printer']
    const file = write(folder, {
      listen: `127.0.0.1:${taken.port}`,
      interceptors: types.map((type) => ({ type })),
      audit: { sinks: { lines: { type: 'file', path: folder.file('lines') } } },
    })
    const ran = await runCli(['run', '--config', file], { cwd: folder.path })
    assert.equal(ran.status, 4)
    assert.match(
      told(ran.stderr),
      /^yori: 127\.0\.0\.1:\d+: another program listens there.*YORI_LISTEN_FAILED\)$/,
    )
    assert.equal(ran.stdout, '')
  })

  it('says so when a key of the CA can be read by others', async () => {
    await using folder = await tempFolder()
    const file = write(folder, {})
    const made = await runCli(['ca', 'init', '--config', file], { cwd: folder.path })
    assert.equal(made.status, 0, made.stderr)
    for (const key of keysBelow(folder.file('state'))) chmodSync(key, 0o644)
    const ran = await runCli(['run', '--config', file], { cwd: folder.path })
    assert.equal(ran.status, 4)
    assert.match(told(ran.stderr), /^yori: .*\.(key|pem).*YORI_CA_KEY_EXPOSED\)$/)
    assertNoStack(ran.stderr)
  })

  for (const [title, args, status, expected] of [
    ['a file that is not there', ['--config', 'no.conf'], 3, /no\.conf/],
    ['a port that is none', ['--port', 'http'], 3, /--port/],
    [
      'a certificate without its key',
      ['--cert', 'a.pem'],
      3,
      /proxy\.tls_(cert|key)|--cert/,
    ],
    [
      'a certificate that is not there',
      ['--cert', 'a.pem', '--key', 'b.pem'],
      3,
      /a\.pem/,
    ],
    ['an unknown option', ['--prot', '1'], 2, /unknown option '--prot'/],
  ] as const) {
    it(`says so with exit code ${status} for ${title}`, async () => {
      await using folder = await tempFolder()
      const state = ['--state-dir', folder.file('state')]
      const ran = await runCli(['run', ...state, ...args], { cwd: folder.path })
      assert.equal(ran.status, status, ran.stderr)
      assert.match(ran.stderr, expected)
      assertNoStack(ran.stderr)
    })
  }

  it('tells every problem of a file, one a line', async () => {
    await using folder = await tempFolder()
    const file = folder.file('yori.conf')
    writeFileSync(file, 'mode: obsevre\nlisten: nowhere\nlimits:\n  exchanges: -1\n')
    const ran = await runCli(['run', '--config', file], { cwd: folder.path })
    assert.equal(ran.status, 3)
    for (const [line, key] of [
      [1, 'mode'],
      [2, 'listen'],
      [4, 'limits.exchanges'],
    ] as const) {
      assert.match(ran.stderr, new RegExp(`yori\\.conf:${line}\\S* .*${key}`))
    }
    assertNoStack(ran.stderr)
  })

  it('finds nothing that config check did not, all at once, also on a reload', async () => {
    await using setup = await running()
    const { folder, cli } = setup
    mkdirSync(folder.file('own'))
    writeFileSync(
      folder.file('own', 'mine.rego'),
      'package yori.mine\ndeny contains x if {\n',
    )
    const bad = folder.file('bad.conf')
    writeFileSync(
      bad,
      JSON.stringify({
        listen: '127.0.0.1:0',
        state_dir: folder.file('other'),
        upstream: { extra_ca: ['gone.pem', 'bad.conf'] },
        catalogue: { file: 'gone.yaml' },
        proxy: { tls_cert: 'gone.crt', tls_key: 'gone.key' },
        policies: {
          directory: 'own',
          files: {
            privcy: { action: 'block' },
            cost_limit: { params: { daily_usd: 'x', daily: 1 } },
          },
        },
      }),
    )
    const asked = { cwd: folder.path }
    const checked = await runCli(['config', 'check', '--config', bad], asked)
    const ran = await runCli(['run', '--config', bad], asked)
    assert.deepEqual([checked.status, ran.status], [1, 3])
    // One file is both: it is there, and no certificate.
    writeFileSync(setup.file, readFileSync(bad))
    cli.child.kill('SIGHUP')
    await cli.printed(/not reloaded/)
    for (const what of [
      /cost_limit\.params: daily is not a parameter/,
      /cost_limit\.params: daily_usd is a number/,
      /own\/mine\.rego:3:1: rego_parse_error/,
      /extra_ca\[0\]: .*gone\.pem does not exist/,
      /extra_ca\[1\]: .*bad\.conf holds no certificate/,
      /proxy\.tls_cert: .*gone\.crt does not exist/,
      /gone\.yaml: does not exist/,
    ]) {
      for (const text of [checked.stderr, ran.stderr]) assert.match(text, what)
      assert.match(cli.stderr, what)
    }
    for (const text of [checked.stderr, ran.stderr]) assert.doesNotMatch(text, /ENOENT/)
    assert.match(
      checked.stdout,
      /files\.privcy: no policy has .*; did you mean privacy\?/,
    )
  })

  it('names a CA that cannot be used, in config check too', async () => {
    await using folder = await tempFolder()
    const file = write(folder, {})
    {
      await using cli = new Cli(['run', '--config', file], { cwd: folder.path })
      await cli.printed(/Ctrl-C/)
    }
    const keys = readdirSync(folder.file('state', 'ca'), { recursive: true })
      .map((name) => folder.file('state', 'ca', String(name)))
      .filter((path) => path.includes('key') && statSync(path).isFile())
    assert.ok(keys.length > 0)
    for (const path of keys) writeFileSync(path, 'no key')
    const checked = await runCli(['config', 'check', '--config', file], { cwd: '/' })
    const ran = await runCli(['run', '--config', file], { cwd: folder.path })
    const code = /\(YORI_CA_\w+\)/.exec(ran.stderr)?.[0]
    assert.ok(code !== undefined, ran.stderr)
    assert.equal(checked.status, 1, checked.stdout)
    assert.ok(checked.stderr.includes(code), checked.stderr)
  })

  it('shows commands that can be typed: a host that exists, its own state, quoted', async () => {
    await using folder = await tempFolder()
    const file = write(folder, { endpoints: [{ domain: '*.openai.com' }] })
    const state = folder.file('my state')
    const args = ['run', '--config', file, '--state-dir', state]
    await using cli = new Cli(args, { cwd: folder.path })
    const [, command = ''] = await cli.printed(/^ .*yori'? (audit list .*)$/m)
    assert.match(cli.stdout, / https:\/\/api\.openai\.com\/v1\/models$/m)
    assert.ok(cli.stdout.includes(`--cacert '${state}/yori-root.pem'`), cli.stdout)
    const words = ['sh', ['-c', `printf '%s\\n' ${command}`]] as const
    const typed = spawnSync(...words, { encoding: 'utf8' })
      .stdout.trim()
      .split('\n')
    assert.equal(typed.at(-1), state)
    const listed = await runCli(typed, { cwd: '/' })
    assert.match(listed.stdout, /no exchange recorded/)
  })

  it('keeps whole conversations by one flag, where nobody else is heard', async () => {
    await using folder = await tempFolder()
    const said = 'tell me of bridges. '.repeat(10_000)
    await using origin = await startOrigin({
      certificate,
      handler: (request, response) => {
        request.resume()
        request.on('end', () => response.end('{"model":"m","choices":[]}'))
      },
    })
    const file = write(folder, { upstream: { resolve: { [NAME]: origin.address } } })
    {
      await using cli = new Cli(['run', '--config', file, '--keep'], { cwd: folder.path })
      const [, port] = await cli.printed(/listening +127\.0\.0\.1:(\d+)/)
      await cli.printed(/Ctrl-C/)
      const ca = readFileSync(folder.file('state', 'yori-root.pem'))
      const socket = await tlsThroughProxy(Number(port), NAME, { ca })
      const body = JSON.stringify({
        model: 'm',
        messages: [{ role: 'user', content: said }],
      })
      const fields = `host: ${NAME}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\n${fields}\r\n\r\n${body}`)
      await readUntil(socket, (soFar) => soFar.includes('choices'))
      socket.destroy()
      cli.signal('SIGTERM')
      await cli.exited
    }
    const shown = ['audit', 'list', '--config', file, '--json']
    const [row] = JSON.parse((await runCli(shown, { cwd: '/' })).stdout) as {
      request_id: string
    }[]
    assert.ok(row !== undefined)
    const show = ['audit', 'show', row.request_id, '--config', file, '--json']
    assert.ok((await runCli(show, { cwd: '/' })).stdout.includes(said))

    const open = ['run', '--config', file, '--host', '0.0.0.0', '--port', '0', '--keep']
    const refused = await runCli(open, { cwd: folder.path })
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /--keep .*0\.0\.0\.0:0 is open to others; add --host/)
  })

  for (const [title, folderOf] of [
    ['lies below a file', (folder: TempFolder) => folder.file('yori.conf', 'state')],
    ['cannot be made', () => '/sys/yori/state'],
  ] as const) {
    it(`says so when its state folder ${title}`, async () => {
      await using folder = await tempFolder()
      const file = write(folder, { state_dir: folderOf(folder) })
      const ran = await runCli(['run', '--config', file], { cwd: folder.path })
      assert.equal(ran.status, 4, ran.stderr)
      assert.match(told(ran.stderr), /^yori: .*\(?.*$/)
      assert.equal(told(ran.stderr).split('\n').length, 1)
      assertNoStack(ran.stderr)
    })
  }

  it('takes --host, --port, --cert and --key', async () => {
    await using folder = await tempFolder()
    const issued = originCa.issue({ names: ['localhost'] })
    const [cert, key] = [folder.file('a.pem'), folder.file('b.pem')]
    writeFileSync(cert, issued.certificatePem)
    writeFileSync(key, issued.keyPem, { mode: 0o600 })
    const listen = ['--host', '127.0.0.1', '--port', '0', '--state-dir', folder.file('s')]
    const args = ['run', ...listen, '--cert', cert, '--key', key]
    await using cli = new Cli(args, { cwd: folder.path })
    const [, port] = await cli.printed(/listening +127\.0\.0\.1:(\d+)/)
    await cli.printed(/Ctrl-C/)
    const ca = originCa.certificatePem
    const socket = await rawTlsClient({ port: Number(port), servername: 'localhost', ca })
    socket.destroy()
  })

  it('serves although the copy of its root cannot be written, and says so', async () => {
    await using folder = await tempFolder()
    const file = write(folder, {})
    mkdirSync(folder.file('state', 'yori-root.pem'), { recursive: true, mode: 0o700 })
    chmodSync(folder.file('state'), 0o700)
    await using cli = new Cli(['run', '--config', file], { cwd: folder.path })
    await cli.printed(/root certificate could not be written for clients/)
    await cli.printed(/YORI is running/)
  })

  it('serves although the disk has no room for records, and says so', async function () {
    await using folder = await tempFolder()
    const disk = folder.file('disk')
    mkdirSync(disk)
    // Room for the CA, none for a database.
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48k', 'tmpfs', disk])
    if (mounted.status !== 0)
      skip(this, { what: 'mounting', brings: 'run the tests as root' })
    try {
      await using origin = await streamingOrigin()
      const stateDir = folder.file('disk', 'state')
      const upstream = resolving(origin)
      const file = write(folder, {
        state_dir: stateDir,
        upstream,
        timeouts: { drain: 1 },
      })
      await using cli = new Cli(['run', '--config', file], { cwd: folder.path })
      const [, port] = await cli.printed(/listening +127\.0\.0\.1:(\d+)/)
      await cli.printed(/the audit database cannot be written/)
      const socket = await tlsThroughProxy(Number(port), NAME, {
        rejectUnauthorized: false,
      })
      socket.write(get('/short'))
      await readUntil(socket, (soFar) => soFar.includes('short'))
      socket.destroy()
      cli.signal('SIGTERM')
      assert.equal(await cli.exited, 0)
      assert.match(cli.stderr, /audit rows were not written/)
    } finally {
      spawnSync('umount', [disk])
    }
  })
})

function resolving(origin: Origin): Record<string, unknown> {
  return { resolve: { [NAME]: origin.address } }
}

function keysBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /key/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
}
