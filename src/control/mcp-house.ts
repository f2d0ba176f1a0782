/**
 * The server of MCP beside us: a process of its own, started when it is first asked and ended when
 * nobody has asked for a while. Whoever is let in at the control plane asks it through us.
 */
import { once } from 'node:events'
import { request as ask } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import type { ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChild } from '../mcp/start-child.js'
import { Refusal, SAFE_FIELDS } from './answer.js'
import type { Role } from './roles.js'

/** Nobody has asked for so long: its memory is worth more than a start. */
const IDLE_MS = 600_000
/** From its start to its first word. */
const START_MS = 20_000
/** Questions at once; further ones are refused. */
export const MOST_ASKED = 32

const PASSED: readonly string[] = ['accept', 'mcp-protocol-version', 'mcp-method']
const NAMED: readonly string[] = ['mcp-name', 'mcp-session-id', 'last-event-id']

interface Running {
  readonly child: ChildProcess
  readonly folder: string
  readonly socket: string
}

export interface McpHouseOptions {
  readonly stateDir: string
  readonly version: string
}

export class McpHouse {
  readonly #options: McpHouseOptions
  #running: Promise<Running> | undefined
  #idle: NodeJS.Timeout | undefined
  #asked = 0

  constructor(options: McpHouseOptions) {
    this.#options = options
  }

  /**
   * Puts one message, by whom that role has, and gives what comes back on to `response`.
   * @throws Refusal 503 where it cannot be asked
   */
  async serve(
    request: IncomingMessage,
    body: unknown,
    role: Role,
  ): Promise<(response: ServerResponse) => void> {
    if (this.#asked >= MOST_ASKED)
      throw new Refusal(503, 'unavailable', 'too many questions are under way')
    this.#asked++
    clearTimeout(this.#idle)
    try {
      const { socket } = await (this.#running ??= this.#start())
      const answer = await put({ socket, request, body, role })
      return (response) => {
        response.once('close', () => {
          answer.destroy()
          this.#done()
        })
        answer.once('error', () => response.destroy())
        response.writeHead(answer.statusCode ?? 502, {
          ...SAFE_FIELDS,
          ...fieldsOf(answer, ['content-type', 'mcp-session-id']),
        })
        answer.pipe(response)
      }
    } catch (cause) {
      this.#done()
      if (cause instanceof Refusal) throw cause
      throw new Refusal(503, 'unavailable', 'the server of MCP cannot be asked now')
    }
  }

  async stop(): Promise<void> {
    clearTimeout(this.#idle)
    const running = this.#running
    this.#running = undefined
    const known = await running?.catch(() => undefined)
    if (known !== undefined) await end(known)
  }

  #done(): void {
    this.#asked--
    if (this.#asked > 0) return
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.stop(), IDLE_MS).unref()
  }

  async #start(): Promise<Running> {
    const folder = await mkdtemp(join(tmpdir(), 'yori-mcp-'))
    const socket = join(folder, 's')
    const child = startChild({ kind: 'socket', socket, ...this.#options })
    child.unref()
    child.channel?.unref()
    const running = { child, folder, socket }
    const forget = (): void => {
      this.#running = undefined
      void rm(folder, { recursive: true, force: true })
    }
    child.once('exit', forget)
    try {
      const ready = once(child, 'message', { signal: AbortSignal.timeout(START_MS) })
      await Promise.race([ready, gone(child)])
      ready.catch(() => undefined)
      return running
    } catch (cause) {
      await end(running)
      forget()
      throw new Refusal(
        503,
        'unavailable',
        'the server of MCP does not start: are its packages installed (`yori mcp` says so)?',
        { cause: cause instanceof Error ? cause.name : '' },
      )
    }
  }
}

async function gone(child: ChildProcess): Promise<never> {
  await once(child, 'exit')
  throw new Error('it ended')
}

async function end({ child, folder }: Running): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await rm(folder, { recursive: true, force: true })
}

interface Put {
  readonly socket: string
  readonly request: IncomingMessage
  readonly body: unknown
  readonly role: Role
}

function put({ socket, request, body, role }: Put): Promise<IncomingMessage> {
  const text = JSON.stringify(body ?? null)
  return new Promise((resolve, reject) => {
    const asking = ask(
      {
        socketPath: socket,
        method: 'POST',
        path: '/mcp',
        agent: false,
        headers: {
          ...fieldsOf(request, [...PASSED, ...NAMED]),
          host: 'localhost',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          'x-yori-mcp-role': role,
        },
      },
      resolve,
    )
    asking.once('error', reject)
    request.once('close', () => {
      if (!request.complete) asking.destroy()
    })
    asking.end(text)
  })
}

function fieldsOf(
  { headers }: Pick<IncomingMessage, 'headers'>,
  names: readonly string[],
): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const name of names) {
    const value = headers[name]
    if (typeof value === 'string') fields[name] = value
  }
  return fields
}
