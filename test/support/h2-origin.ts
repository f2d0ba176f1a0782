/** A provider that speaks HTTP/2 alone, and YORI told so by its catalogue. */
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createSecureServer } from 'node:http2'
import type {
  Http2SecureServer,
  IncomingHttpHeaders,
  SecureServerOptions,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { certificate, NAME, originCa } from './proxied.js'
import { tempFolder } from './temp-folder.js'
import { Yori } from './yori.js'

export interface H2Origin extends AsyncDisposable {
  readonly address: string
  readonly server: Http2SecureServer
  /** All so far, the closed ones too. */
  readonly sessions: readonly ServerHttp2Session[]
}

export type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

export async function startH2Origin(
  onStream: OnStream,
  options: SecureServerOptions = {},
): Promise<H2Origin> {
  const { certificatePem: cert, keyPem: key } = certificate
  const server = createSecureServer({ cert, key, ...options })
  const sessions: ServerHttp2Session[] = []
  server.on('session', (session) => {
    sessions.push(session)
    session.on('error', () => undefined)
  })
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined)
    onStream(stream, headers)
  })
  server.on('sessionError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `127.0.0.1:${port}`,
    server,
    sessions,
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.destroy()
      server.close()
    },
  }
}

export interface BehindH2 extends AsyncDisposable {
  readonly yori: Yori
}

/** YORI whose catalogue says `upstream: h2` for the provider at `NAME`. */
export async function beforeH2(
  origin: { readonly address: string },
  config: Record<string, unknown> = {},
): Promise<BehindH2> {
  const folder = await tempFolder()
  const file = folder.file('catalogue.yaml')
  await writeFile(file, 'providers:\n  - { name: openai, upstream: h2 }\n')
  const yori = await Yori.start({
    origins: { [NAME]: origin },
    trust: [originCa],
    config: { catalogue: { file }, ...config },
  })
  return {
    yori,
    async [Symbol.asyncDispose]() {
      await yori[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}
