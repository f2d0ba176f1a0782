/** The way from `yori record` to the running YORI: its socket, and what it tells over it. */
import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { ACTOR_FIELD } from '../control/actor.js'
import { askRunning } from '../control/ask.js'
import { socketPath } from '../control/listeners.js'
import { YoriError } from '../core/errors.js'

export interface Telling {
  /**
   * Each piece of what is told, until it ends. `asked`: we had asked for that.
   * @throws what `take` throws
   */
  each(take: (chunk: Buffer) => void): Promise<'asked' | 'broken'>
  /** Asks it to end; what is under way has a moment to do so. */
  stop(): Promise<void>
}

const ANSWER_WITHIN_MS = 10_000

/** @throws YORI_STATE_UNUSABLE when nobody is there, or it does not want to */
export async function listenToRunning(
  stateDir: string,
  asked: unknown,
  actor: string,
): Promise<Telling> {
  const response = await answerOf(stateDir, JSON.stringify(asked), actor)
  if (response.statusCode !== 200) {
    const said = await textOf(response)
    throw new YoriError(
      'YORI_STATE_UNUSABLE',
      `the running YORI does not record: ${said}`,
    )
  }
  const first = await firstChunk(response)
  const id = idIn(first)
  let isStopped = false
  return {
    each: (take) =>
      new Promise((resolve, reject) => {
        response.on('data', (chunk: Buffer) => {
          try {
            take(chunk)
          } catch (cause) {
            response.destroy()
            reject(cause instanceof Error ? cause : new Error(String(cause)))
          }
        })
        response.once('close', () => resolve(isStopped ? 'asked' : 'broken'))
        response.on('error', () => undefined)
        response.resume()
      }),
    stop: async () => {
      isStopped = true
      const path = `/api/recordings/${id}`
      const answer = await askRunning(stateDir, { verb: 'DELETE', path, actor })
      if (answer.kind === 'unreachable') response.destroy()
    },
  }
}

function answerOf(
  stateDir: string,
  body: string,
  actor: string,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        ...{ socketPath: socketPath(stateDir), method: 'POST', path: '/api/recordings' },
        agent: false,
        headers: {
          host: 'localhost',
          [ACTOR_FIELD]: actor,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      },
      (response) => {
        clearTimeout(late)
        resolve(response)
      },
    )
    const late = setTimeout(
      () => asking.destroy(new Error('it does not answer')),
      ANSWER_WITHIN_MS,
    )
    asking.on('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(late)
      const isNone = cause.code === 'ENOENT' || cause.code === 'ECONNREFUSED'
      const why = isNone ? 'no YORI runs on that state folder' : cause.message
      const says = `recordings are made by the running YORI: ${why}`
      reject(new YoriError('YORI_STATE_UNUSABLE', says, { cause }))
    })
    asking.end(body)
  })
}

/** Put back: it is a frame, too. */
function firstChunk(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    response.once('data', (chunk: Buffer) => {
      response.pause()
      response.unshift(chunk)
      resolve(chunk)
    })
    response.once('close', () =>
      reject(new YoriError('YORI_STATE_UNUSABLE', 'the running YORI told nothing')),
    )
  })
}

function idIn(first: Buffer): string {
  const [line = ''] = first.toString('utf8').split('\n', 1)
  return (JSON.parse(line) as { recording: string }).recording
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text
  } catch {
    return text
  }
}
