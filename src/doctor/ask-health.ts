/** Asks the YORI on an address how it is: `/health` on the proxy's own port. */
import { get } from 'node:http'

/** A router at work on something else may be slow, and is not to be called dead for that. */
const ANSWER_WITHIN_MS = 5_000
const MOST_ANSWER_BYTES = 4_096

export interface Answer {
  readonly listen: string
  readonly answers: boolean
  /** What `/health` said, when it is an object. */
  readonly health?: Readonly<Record<string, unknown>>
  readonly reason?: string
}

export async function ask(listen: string): Promise<Answer> {
  const colon = listen.lastIndexOf(':')
  const port = Number(listen.slice(colon + 1))
  if (port === 0)
    return { listen, answers: false, reason: 'the port is chosen at each start' }
  try {
    const health = await healthAt(reachable(listen.slice(0, colon)), port)
    return { listen, answers: true, ...(health === undefined ? {} : { health }) }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    return { listen, answers: false, reason }
  }
}

/** Any address of this machine stands for loopback, which always may ask. */
export function reachable(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1')
  if (bare === '0.0.0.0' || bare === '*') return '127.0.0.1'
  return bare === '::' ? '::1' : bare
}

/** Undefined when something answers that is not our JSON. */
function healthAt(host: string, port: number): Promise<Answer['health']> {
  return new Promise((resolve, reject) => {
    const request = get(
      {
        host,
        port,
        path: '/health',
        headers: { host: 'localhost' },
        agent: false,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      },
      (response) => {
        let text = ''
        response.setEncoding('latin1')
        response.on('data', (piece: string) => {
          text += piece
          if (text.length <= MOST_ANSWER_BYTES) return
          text = ''
          response.destroy()
        })
        response.on('error', reject)
        response.on('close', () => {
          if (response.statusCode === 200) resolve(objectIn(text))
          else reject(new Error(`it answered ${response.statusCode ?? 'nothing'}`))
        })
      },
    )
    request.on('error', (error) => {
      const late = error.name === 'AbortError' || error.name === 'TimeoutError'
      reject(
        late ? new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} seconds`) : error,
      )
    })
  })
}

function objectIn(text: string): Answer['health'] {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
