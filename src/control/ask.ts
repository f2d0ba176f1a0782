/**
 * Asks the running YORI through its Unix socket: for the commands of this machine. Who may not
 * open the socket, or finds none, is told so and reads the files instead.
 */
import { request } from 'node:http'
import { ACTOR_FIELD } from './actor.js'
import { socketPath } from './listeners.js'

const ANSWER_WITHIN_MS = 10_000
const MOST_ANSWER_BYTES = 16 * 1024 * 1024

export type Asked =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** Nobody is there, or this user may not ask. */
  | { readonly kind: 'unreachable'; readonly reason: string }

export interface Question {
  readonly verb?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  /** Who is at the keyboard, for the record. */
  readonly actor?: string
}

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'no YORI runs on that state folder, or it has no socket',
  ECONNREFUSED: 'no YORI runs on that state folder',
  EACCES: 'this user may not ask it',
  EPERM: 'this user may not ask it',
}

/** Never rejects. An answer of over 16 MiB, or later than 10 s, is none. */
export function askRunning(stateDir: string, question: Question): Promise<Asked> {
  const { verb = 'GET', path, body, actor } = question
  const text = body === undefined ? undefined : JSON.stringify(body)
  return new Promise((resolve) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      const reason = WHY[cause.code ?? ''] ?? cause.message
      resolve({ kind: 'unreachable', reason })
    }
    const asking = request(
      {
        socketPath: socketPath(stateDir),
        method: verb,
        path,
        agent: false,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
        headers: {
          host: 'localhost',
          ...(actor === undefined ? {} : { [ACTOR_FIELD]: actor }),
          ...(text === undefined
            ? {}
            : {
                'content-type': 'application/json',
                'content-length': Buffer.byteLength(text),
              }),
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes <= MOST_ANSWER_BYTES) chunks.push(chunk)
          else response.destroy(new Error('its answer is too long'))
        })
        response.on('error', failed)
        response.on('end', () => {
          const read = parsed(Buffer.concat(chunks).toString())
          resolve({ kind: 'answered', status: response.statusCode ?? 0, body: read })
        })
      },
    )
    asking.on('error', failed)
    asking.end(text)
  })
}

/** Text where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
