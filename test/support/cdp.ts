/**
 * The DevTools protocol over one WebSocket: commands with answers, events, and sessions of the
 * tabs (flattened: one socket for all). Every wait has a limit. What commands mean is left to
 * `chromium.ts`.
 */
import { once } from 'node:events'
import WebSocket from 'ws'
import { PATIENCE_MS } from './patience.js'

const MAX_MESSAGE_BYTES = 64 * 1024 * 1024

type Parameters = Readonly<Record<string, unknown>>
type Listener = (parameters: Parameters) => void

interface Pending {
  resolve(result: unknown): void
  reject(cause: Error): void
}

interface Message {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
  readonly method?: string
  readonly params?: Parameters
  readonly sessionId?: string
}

export class DevTools {
  readonly #socket: WebSocket
  readonly #pending = new Map<number, Pending>()
  readonly #sessions = new Map<string, DevToolsSession>()
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data) => this.#take(JSON.parse(toText(data)) as Message))
    socket.on('error', () => undefined)
    socket.on('close', () => this.#failAll())
  }

  static async connect(url: string): Promise<DevTools> {
    const socket = new WebSocket(url, { maxPayload: MAX_MESSAGE_BYTES })
    await once(socket, 'open')
    return new DevTools(socket)
  }

  send<T>(method: string, parameters: Parameters = {}, sessionId?: string): Promise<T> {
    const id = ++this.#lastId
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(new Error(`no answer to ${method}`))),
        PATIENCE_MS,
      )
      const settle = (how: () => void): void => {
        clearTimeout(timer)
        this.#pending.delete(id)
        how()
      }
      this.#pending.set(id, {
        resolve: (result) => settle(() => resolve(result as T)),
        reject: (cause) => settle(() => reject(cause)),
      })
      this.#socket.send(JSON.stringify({ id, method, params: parameters, sessionId }))
    })
  }

  session(sessionId: string): DevToolsSession {
    const session = new DevToolsSession(this, sessionId)
    this.#sessions.set(sessionId, session)
    return session
  }

  close(): void {
    this.#socket.terminate()
  }

  #take(message: Message): void {
    if (message.id === undefined) {
      const session = this.#sessions.get(message.sessionId ?? '')
      session?.heard(message.method ?? '', message.params ?? {})
      return
    }
    const pending = this.#pending.get(message.id)
    if (message.error === undefined) pending?.resolve(message.result)
    else pending?.reject(new Error(message.error.message))
  }

  #failAll(): void {
    for (const pending of [...this.#pending.values()]) {
      pending.reject(new Error('the browser has gone'))
    }
  }
}

/** One tab. */
export class DevToolsSession {
  readonly #devTools: DevTools
  readonly #id: string
  readonly #listeners = new Map<string, Set<Listener>>()

  constructor(devTools: DevTools, id: string) {
    this.#devTools = devTools
    this.#id = id
  }

  send<T>(method: string, parameters: Parameters = {}): Promise<T> {
    return this.#devTools.send<T>(method, parameters, this.#id)
  }

  on(event: string, listener: Listener): void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(listener))
  }

  /** The next such event, within the limit of a command. */
  next(event: string): Promise<Parameters> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => settle(() => reject(new Error(`no ${event}`))),
        PATIENCE_MS,
      )
      const listener: Listener = (parameters) => settle(() => resolve(parameters))
      const settle = (how: () => void): void => {
        clearTimeout(timer)
        this.#listeners.get(event)?.delete(listener)
        how()
      }
      this.on(event, listener)
    })
  }

  heard(event: string, parameters: Parameters): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(parameters)
  }
}

function toText(data: WebSocket.RawData): string {
  return Buffer.isBuffer(data)
    ? data.toString()
    : Buffer.from(data as ArrayBuffer).toString()
}
