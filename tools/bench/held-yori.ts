/** A YORI of its own in enforce, with every ready-made policy, before a provider that says `ok`. */
import { Pool, ProxyAgent, request } from 'undici'
import { startOrigin } from '../../test/support/origins.js'
import { tempFolder } from '../../test/support/temp-folder.js'
import { TestCa } from '../../test/support/test-ca.js'
import type { HttpVersion } from '../../test/support/yori.js'
import { YoriProcess } from '../dev/yori-process.js'
import { EVERY_POLICY } from './every-policy.js'

const NAME = 'api.openai.com'
const ANSWER = '{"choices":[{"index":0,"message":{"role":"assistant","content":"ok"}}]}'

export interface HeldBody {
  readonly body: Buffer
  readonly type?: string
}

export interface HeldYori extends AsyncDisposable {
  readonly pid: number
  /** `device`: the loopback address it comes from. Gives `200`, or the status and why. */
  ask(sent: HeldBody, version: HttpVersion, device?: string): Promise<string>
}

export async function startHeld(
  launcher: readonly string[],
  more: Readonly<Record<string, unknown>> = {},
): Promise<HeldYori> {
  const folder = await tempFolder('yori-held-')
  const ca = new TestCa()
  const origin = await startOrigin({
    certificate: ca.issue({ names: [NAME] }),
    handler: (incoming, response) => {
      incoming.resume().on('end', () => {
        response.setHeader('content-type', 'application/json')
        response.end(ANSWER)
      })
    },
  })
  const yori = await YoriProcess.start({
    folder: folder.path,
    launcher,
    extraCaPem: ca.certificatePem,
    resolve: { [NAME]: origin.address },
    config: {
      mode: 'enforce',
      enforcement: { enabled: true, consent_accepted: true },
      policies: { files: EVERY_POLICY },
      ...more,
    },
  })
  const rootPem = await yori.caPem()
  const agents = new Map<string, ProxyAgent>()
  const agentOf = (version: HttpVersion, localAddress: string): ProxyAgent => {
    const key = `${version} ${localAddress}`
    const allowH2 = version === 'h2'
    const agent =
      agents.get(key) ??
      new ProxyAgent({
        uri: `http://127.0.0.1:${yori.port}`,
        allowH2,
        requestTls: { ca: rootPem, allowH2 },
        clientFactory: (url, options) =>
          new Pool(url, { ...options, allowH2: false, localAddress }),
      })
    agents.set(key, agent)
    return agent
  }
  return {
    pid: yori.pid,
    async ask({ body, type = 'application/json' }, version, device = '127.0.0.1') {
      const answer = await request(`https://${NAME}/v1/chat/completions`, {
        method: 'POST',
        dispatcher: agentOf(version, device),
        headers: { 'content-type': type, authorization: 'Bearer none' },
        headersTimeout: 0,
        bodyTimeout: 0,
        body,
      }).catch((cause: unknown) => {
        throw new Error(`no answer: ${yori.output.slice(-2000)}`, { cause })
      })
      const text = await answer.body.text()
      return answer.statusCode === 200 ? '200' : `${answer.statusCode} ${whyOf(text)}`
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()))
      await yori.stop()
      await origin[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** The words of a refusal. */
function whyOf(text: string): string {
  return /"message":"([^"]{0,160})/.exec(text)?.[1] ?? ''
}

/** As `yori` starts itself. */
export const SHIPPED: readonly string[] = [
  process.execPath,
  '--max-semi-space-size=4',
  '--max-old-space-size=128',
  '--v8-pool-size=1',
]
