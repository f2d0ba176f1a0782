/** Who is measured: no proxy at all, YORI, and http-mitm-proxy as the reference peer. */
import { tempFolder } from '../../test/support/temp-folder.js'
import { YoriProcess } from '../dev/yori-process.js'
import type { Target } from './jobs.js'
import { pinned, startProgram } from './programs.js'

export interface Running extends AsyncDisposable {
  readonly target: Target
  /** The proxy's process; undefined for the direct connection. */
  readonly pid: number | undefined
  /** It makes sense of what passes. */
  readonly reads?: boolean
}

export interface Peer {
  readonly name: string
  start(direct: Target): Promise<Running>
}

const direct: Peer = {
  name: 'direct',
  start: async (target) => ({
    target,
    pid: undefined,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }),
}

/** An endpoint of the operator's own that no reader knows. */
const UNKNOWN_API = 'llm.bench.test'

const yori: Peer = {
  name: 'yori',
  async start(origin) {
    const folder = await tempFolder('yori-bench-')
    const process = await YoriProcess.start({
      folder: folder.path,
      launcher: pinned('proxy'),
      extraCaPem: origin.caPem,
      resolve: {
        'api.openai.com': `127.0.0.1:${origin.originPort}`,
        'bank.test': `127.0.0.1:${origin.tunnelPort}`,
        [UNKNOWN_API]: `127.0.0.1:${origin.originPort}`,
      },
      config: {
        endpoints: [{ domain: 'api.openai.com' }, { domain: UNKNOWN_API }],
        ca: { permitted: [UNKNOWN_API] },
      },
    })
    return {
      target: { ...origin, caPem: await process.caPem(), proxyPort: process.port },
      pid: process.pid,
      reads: true,
      async [Symbol.asyncDispose]() {
        await process.stop()
        await folder[Symbol.asyncDispose]()
      },
    }
  },
}

/**
 * As its authors ship it: RSA leaves minted on the event loop, an inner TLS server for each
 * name, no tunnel of its own (the bench gives it one with `pipe`).
 */
const httpMitmProxy: Peer = {
  name: 'http-mitm-proxy',
  async start(origin) {
    const folder = await tempFolder('http-mitm-proxy-')
    const program = startProgram('proxy', 'http-mitm-proxy.js', folder.path)
    program.write(`${JSON.stringify(origin)}\n`)
    const { port, caPem } = (await program.line()) as { port: number; caPem: string }
    return {
      target: { ...origin, caPem, proxyPort: port },
      pid: program.pid,
      async [Symbol.asyncDispose]() {
        await program[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      },
    }
  },
}

export const peers: readonly Peer[] = [direct, yori, httpMitmProxy]
