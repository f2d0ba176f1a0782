import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { connect as dial } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { programEnvironment } from '../../../../ca/program-environment.js'
import { envCommand, execCommand } from '../../../../src/cli/commands/run/exec.js'
import type { ExecDeps } from '../../../../src/cli/commands/run/exec.js'
import { systemClock } from '../../../../src/core/clock.js'
import { run, serveTls, startCa, tempFolder } from '../../../ca/support/ca.js'
import type { TestCa } from '../../../ca/support/ca.js'
import { needs } from '../../../support/needs.js'
import { TestCa as Authority } from '../../../support/test-ca.js'

interface World extends AsyncDisposable {
  readonly ca: TestCa
  readonly proxy: string
  /** CONNECT targets that the proxy was asked for. */
  readonly asked: string[]
  readonly exits: number[]
  printed: string
  /** On standard error. */
  noted: string
  readonly deps: ExecDeps
}

/** A proxy that leads every CONNECT to one TLS server with a minted certificate. */
async function startWorld(): Promise<World> {
  const ca = await startCa()
  const { certPem } = ca.authority.mint('api.openai.com', ca.clock.now())
  const key = ca.authority.leafKeyPem
  const server = await serveTls(createSecureContext({ cert: certPem, key }))
  const asked: string[] = []
  const sockets = new Set<Socket>()
  const proxy = createServer()
  proxy.on('connect', (request, client: Socket) => {
    asked.push(request.url ?? '')
    const upstream = dial(server.port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    client.write('HTTP/1.1 200 OK\r\n\r\n')
    client.pipe(upstream).pipe(client)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const world: World = {
    ca,
    proxy: url,
    asked,
    exits: [],
    printed: '',
    noted: '',
    deps: {
      execOptions: () => Promise.resolve({ directory: ca.folder, proxy: url }),
      clock: systemClock,
      env: { PATH: process.env['PATH'], NO_PROXY: 'router.lan' },
      print: (text) => {
        world.printed += text
      },
      note: (text) => {
        world.noted += text
      },
      exit: (code) => world.exits.push(code),
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      proxy.close()
      await server[Symbol.asyncDispose]()
      await ca[Symbol.asyncDispose]()
    },
  }
  return world
}

async function exec(world: World, ...args: string[]): Promise<void> {
  await execCommand(world.deps).parseAsync(['--', ...args], { from: 'user' })
}

const PYTHON = `
import urllib.request, sys
open(sys.argv[1], 'wb').write(urllib.request.urlopen('https://api.openai.com/', timeout=10).read())
`

describe('yori exec', () => {
  it('leads curl through YORI and makes it believe the minted certificate', async () => {
    await using world = await startWorld()
    const out = await world.ca.file('out', '')
    await exec(world, 'curl', '-sS', '-o', out, 'https://api.openai.com/')
    assert.deepEqual(world.exits, [0])
    assert.equal(await readFile(out, 'utf8'), 'hello')
    assert.deepEqual(world.asked, ['api.openai.com:443'])
  })

  it('leads Python', async function () {
    needs(this, 'python3')
    await using world = await startWorld()
    const out = await world.ca.file('out', '')
    await exec(world, 'python3', '-c', PYTHON, out)
    assert.deepEqual(world.exits, [0])
    assert.equal(await readFile(out, 'utf8'), 'hello')
  })

  it('leads Java', async function () {
    needs(this, 'javac')
    await using world = await startWorld()
    const source = await world.ca.file(
      'Client.java',
      `public class Client {
        public static void main(String[] args) throws Exception {
          try (var body = new java.net.URL("https://api.openai.com/").openStream()) {
            System.exit(new String(body.readAllBytes()).equals("hello") ? 7 : 8);
          }
        }
      }`,
    )
    await exec(world, 'java', source)
    assert.deepEqual(world.exits, [7])
    assert.deepEqual(world.asked, ['api.openai.com:443'])
  })

  it('ends as the program ends', async () => {
    await using world = await startWorld()
    await exec(world, 'sh', '-c', 'exit 3')
    await exec(world, 'sh', '-c', 'kill -TERM $$')
    assert.deepEqual(world.exits, [3, 143])
    await assert.rejects(exec(world, '/no/such/program'), {
      message: /cannot run \/no\/such\/program: there is no such program/,
    })
  })
})

describe('yori env', () => {
  it('prints what a shell evaluates, and keeps what NO_PROXY held', async () => {
    await using world = await startWorld()
    await using temp = await tempFolder()
    const folder = join(temp.path, "it's here")
    await envCommand(world.deps).parseAsync(['--trust-dir', folder], { from: 'user' })
    const script = `${world.printed}printf '%s\\n' "$HTTPS_PROXY" "$NO_PROXY" "$NODE_EXTRA_CA_CERTS"`
    const { stdout } = await run('sh', ['-c', script])
    assert.deepEqual(stdout.trim().split('\n'), [
      world.proxy,
      'router.lan,localhost,127.0.0.1,::1',
      join(folder, 'yori-root.pem'),
    ])
  })

  it('adds our root to what was trusted before, and takes nothing away', async function () {
    needs(this, 'openssl')
    await using world = await startWorld()
    await using temp = await tempFolder()
    const company = new Authority('Company')
    const root = join(temp.path, 'company.pem')
    const leaves = join(temp.path, 'leaf.pem')
    writeFileSync(root, company.certificatePem)
    writeFileSync(leaves, company.issue({ names: ['git.example.org'] }).certificatePem)
    const before = { NODE_EXTRA_CA_CERTS: root, CURL_CA_BUNDLE: root }
    const broken = {
      GIT_SSL_CAINFO: join(temp.path, 'nothing'),
      PIP_CERT: leaves + '.gone',
    }
    const folder = join(temp.path, 'trust')
    const variables = async (env: Record<string, string>) => {
      world.printed = ''
      const command = envCommand({ ...world.deps, env: { ...world.deps.env, ...env } })
      await command.parseAsync(['--trust-dir', folder, '--shell', 'dotenv'], {
        from: 'user',
      })
      const lines = world.printed.matchAll(/^(\w+)="(.*)"$/gm)
      return Object.fromEntries(
        [...lines].map(([, name = '', file = '']) => [name, file]),
      )
    }
    const now = await variables({ ...before, ...broken })
    const isGood = async (file: string | undefined, leaf: string): Promise<boolean> => {
      const words = ['verify', '-CAfile', file ?? '', '-untrusted', leaf, leaf]
      return (await run('openssl', words)).stdout.includes(': OK')
    }
    const { certPem } = world.ca.authority.mint('api.openai.com', world.ca.clock.now())
    const ours = join(temp.path, 'ours.pem')
    writeFileSync(ours, certPem)
    for (const name of ['NODE_EXTRA_CA_CERTS', 'CURL_CA_BUNDLE']) {
      assert.ok(await isGood(now[name], leaves), `${name}: the company's`)
      assert.ok(await isGood(now[name], ours), `${name}: ours`)
    }
    for (const name of ['GIT_SSL_CAINFO', 'PIP_CERT', 'SSL_CERT_FILE'])
      assert.equal(now[name], join(folder, 'yori-bundle.pem'), name)
    // Within it the same again: nothing grows.
    assert.deepEqual(await variables(now), now)
    assert.equal(readFileSync(root, 'utf8'), company.certificatePem)
  })

  it('gives Java a path with spaces and quotes as one word', async function () {
    needs(this, 'java')
    const storeFile = `/tmp/it's a "store".p12`
    const variables = programEnvironment({
      proxy: 'http://127.0.0.1:8443',
      trust: [],
      storeFile,
      storePassword: 'changeit',
      present: { JAVA_TOOL_OPTIONS: '-Dbefore=1' },
    })
    const value = new Map(variables).get('JAVA_TOOL_OPTIONS') ?? ''
    const env = `JAVA_TOOL_OPTIONS=${value}`
    const shown = await run('env', [env, 'java', '-XshowSettings:properties', '-version'])
    assert.ok(
      shown.stderr.includes(`javax.net.ssl.trustStore = ${storeFile}\n`),
      shown.stderr,
    )
    assert.match(shown.stderr, /before = 1\n/)
  })
})
