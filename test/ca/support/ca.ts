/** A CA in a folder of its own, programs that judge certificates, and a TLS server. */
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:tls'
import type { SecureContext } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAuthority } from '../../../ca/authority.js'
import type { Authority, AuthorityOptions } from '../../../ca/authority.js'
import type { Clock } from '../../../src/core/clock.js'

export const DAY_MS = 86_400_000

/** A day on which every certificate of these tests is also valid for programs. */
export class TestClock implements Clock {
  nowMs: number
  constructor(nowMs = Date.now()) {
    this.nowMs = nowMs
  }
  now(): number {
    return this.nowMs
  }
  monotonic(): number {
    return this.nowMs
  }
}

export interface TempFolder extends AsyncDisposable {
  readonly path: string
}

export async function tempFolder(within = tmpdir()): Promise<TempFolder> {
  const path = await mkdtemp(join(within, 'yori-ca-'))
  await chmod(path, 0o700)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export interface TestCa extends AsyncDisposable {
  readonly authority: Authority
  readonly folder: string
  readonly clock: TestClock
  readonly options: AuthorityOptions
  /** The path of a file with this text, in a folder beside the CA's. */
  file(name: string, text: string | Uint8Array): Promise<string>
}

export async function startCa(options: Partial<AuthorityOptions> = {}): Promise<TestCa> {
  const temp = await tempFolder()
  const clock = new TestClock()
  const all = {
    directory: join(temp.path, 'ca'),
    issuedNames: ['api.openai.com', '*.openai.azure.com', 'yori.home.arpa'],
    clock,
    ...options,
  }
  return {
    authority: await openAuthority(all),
    folder: all.directory,
    clock,
    options: all,
    file: async (name, text) => {
      const path = join(temp.path, name)
      await writeFile(path, text)
      return path
    },
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  }
}

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export function run(
  command: string,
  args: readonly string[],
  input?: string,
  timeout = 20_000,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 4_194_304, timeout }
    const child = execFile(command, args, options, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number')
        reject(new Error(error.message, { cause: error }))
      else resolve({ code: (error?.code as number | undefined) ?? 0, stdout, stderr })
    })
    child.stdin?.end(input)
  })
}

export interface TlsServer extends AsyncDisposable {
  readonly port: number
}

/** Serves one HTTP response to whoever trusts the context. */
export function serveTls(context: SecureContext): Promise<TlsServer> {
  return serveNames(() => Promise.resolve(context))
}

/** The same, with a context for each name that is asked for. */
export async function serveNames(
  contextFor: (name: string) => Promise<SecureContext>,
): Promise<TlsServer> {
  const server = createServer(
    {
      SNICallback: (name, done) => {
        contextFor(name).then(
          (context) => {
            done(null, context)
          },
          (error: unknown) => {
            done(error as Error)
          },
        )
      },
    },
    (socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => {
        socket.end(
          'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello',
        )
      })
    },
  )
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
      }),
  }
}
