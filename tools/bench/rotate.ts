/**
 * Does a rotation of the issuing CA fail any exchange?
 * usage: node dist/tools/bench/rotate.js [--exchanges 5000] [--workers 8]
 *
 * Runs `yori run` before a provider on loopback, and clients that trust its root alone: each
 * opens a tunnel and a TLS connection for every five exchanges, at least as many as asked
 * for. `yori ca rotate` runs at a quarter, half and three quarters. Prints the failures and
 * how many issuing CAs were seen; exit code 1 when an exchange failed or a rotation was not seen.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer, request as secureRequest } from 'node:https'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { parseArgs } from 'node:util'
import { openAuthority } from '../../ca/authority.js'
import { systemClock } from '../../src/core/clock.js'
import { packageFile } from '../../src/core/package-root.js'

const NAME = 'api.openai.com'
const EXCHANGES_PER_CONNECTION = 5
const START_MS = 20_000
/** A running YORI looks every 5 s for what changed on disk. */
const SEEN_MS = 15_000

const { values } = parseArgs({
  options: {
    exchanges: { type: 'string', default: '5000' },
    workers: { type: 'string', default: '8' },
  },
})
const total = Number(values.exchanges)
const workers = Number(values.workers)
const yori = packageFile('dist', 'src', 'cli', 'main.js')

const folder = await mkdtemp(join(tmpdir(), 'yori-rotate-'))
const closing: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })]
try {
  process.exitCode = (await measure()) ? 0 : 1
} finally {
  for (const close of closing.reverse()) await close()
}

async function measure(): Promise<boolean> {
  const config = await configure(await startProvider())
  const port = await startYori(config)
  const rootPem = await readFile(join(folder, 'var', 'ca', 'root.crt'), 'utf8')
  const seen = new Set<string>()
  const failures: string[] = []
  let begun = 0
  let rotating = true
  let connections = 0
  const work = async (): Promise<void> => {
    while (begun < total || rotating) {
      connections += 1
      try {
        const tls = await tunnel(port, rootPem)
        seen.add(issuerOf(tls))
        for (let i = 0; i < EXCHANGES_PER_CONNECTION; i++) {
          begun += 1
          await exchange(tls, i === EXCHANGES_PER_CONNECTION - 1)
        }
        tls.destroy()
      } catch (error) {
        failures.push((error as Error).message)
      }
    }
  }
  const rotate = async (): Promise<void> => {
    for (const share of [0.25, 0.5, 0.75]) {
      while (begun < total * share)
        await new Promise((resolve) => setTimeout(resolve, 20))
      const before = seen.size
      await command('ca', 'rotate', '--config', config)
      const until = performance.now() + SEEN_MS
      // Traffic goes on until the new issuing CA was seen: it is part of what is shown.
      while (seen.size === before && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 20))
    }
    rotating = false
  }
  const started = performance.now()
  await Promise.all([...Array.from({ length: workers }, work), rotate()])
  const seconds = (performance.now() - started) / 1000
  console.log(
    `${begun} exchanges on ${connections} connections in ${seconds.toFixed(1)} s`,
  )
  console.log(`${failures.length} failed, ${seen.size} issuing CAs seen, 3 rotations`)
  for (const message of new Set(failures)) console.log(`  ${message}`)
  return failures.length === 0 && seen.size === 4
}

/** A provider with a certificate of its own CA. */
async function startProvider(): Promise<{ port: number; rootFile: string }> {
  const authority = await openAuthority({
    directory: join(folder, 'provider'),
    issuedNames: [NAME],
    clock: systemClock,
  })
  const { certPem: cert } = authority.mint(NAME, Date.now())
  const server = createServer(
    { key: authority.leafKeyPem, cert },
    (_request, response) => {
      response.setHeader('content-type', 'application/json')
      response.end('{"object":"list","data":[]}')
    },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    server.closeAllConnections()
    server.close()
  })
  const rootFile = join(folder, 'provider.pem')
  await writeFile(rootFile, authority.rootPem)
  return { port: (server.address() as AddressInfo).port, rootFile }
}

async function configure(provider: { port: number; rootFile: string }): Promise<string> {
  const free = createTcpServer().listen(0, '127.0.0.1')
  await once(free, 'listening')
  const { port } = free.address() as AddressInfo
  free.close()
  const path = join(folder, 'yori.conf')
  await writeFile(
    path,
    `mode: observe
state_dir: ${folder}/var
listen: ['127.0.0.1:${port}']
endpoints: [{domain: ${NAME}}]
upstream:
  extra_ca: ['${provider.rootFile}']
  resolve: {${NAME}: '127.0.0.1:${provider.port}'}
`,
  )
  return path
}

async function startYori(config: string): Promise<number> {
  const child = spawn(process.execPath, [yori, 'run', '--config', config], {
    stdio: 'ignore',
  })
  closing.push(() => stop(child))
  const port = Number(/127\.0\.0\.1:(\d+)'\]/.exec(await readFile(config, 'utf8'))?.[1])
  const until = performance.now() + START_MS
  while (!(await healthy(port))) {
    if (performance.now() > until || child.exitCode !== null)
      throw new Error('YORI did not start')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return port
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

function healthy(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    request({ port, host: '127.0.0.1', path: '/health' }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
      .on('error', () => {
        resolve(false)
      })
      .end()
  })
}

async function command(...args: string[]): Promise<void> {
  const child = spawn(process.execPath, [yori, ...args], { stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`yori ${args.join(' ')} ended with ${code}`)
}

async function tunnel(port: number, ca: string): Promise<TLSSocket> {
  const asked = request({
    port,
    host: '127.0.0.1',
    method: 'CONNECT',
    path: `${NAME}:443`,
  })
  asked.end()
  const [, socket] = (await once(asked, 'connect')) as [unknown, Socket]
  const tls = connect({ socket, servername: NAME, ca })
  await once(tls, 'secureConnect')
  return tls
}

function issuerOf(tls: TLSSocket): string {
  const { CN } = tls.getPeerCertificate().issuer as Record<string, unknown>
  return String(CN)
}

async function exchange(tls: TLSSocket, last: boolean): Promise<void> {
  const headers = { host: NAME, connection: last ? 'close' : 'keep-alive' }
  const asked = secureRequest({
    createConnection: () => tls,
    path: '/v1/models',
    headers,
  })
  asked.end()
  const [response] = (await once(asked, 'response')) as [
    NodeJS.ReadableStream & { statusCode: number },
  ]
  let body = ''
  for await (const chunk of response) body += String(chunk)
  if (response.statusCode !== 200 || body !== '{"object":"list","data":[]}')
    throw new Error(`status ${response.statusCode}, ${body.length} bytes`)
}
