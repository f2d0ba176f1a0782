/**
 * A connection to Redis or Valkey: commands are pipelined, each has its time, and one that has
 * none ends the connection, since nobody knows then whose answer is whose. Whoever owns it makes
 * another.
 */
import { readFileSync } from 'node:fs'
import { connect as connectPlain, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { redisProblem } from '../../../config/check-fleet.js'
import { passwordIn } from '../password-file.js'
import { ReplyError, ReplyReader, commandText } from './resp.js'
import type { Reply } from './resp.js'

const CONNECT_MS = 5_000
const COMMAND_MS = 2_000
/** Commands without an answer; more are refused. */
export const MOST_PENDING = 1_024

export interface RedisAddress {
  readonly host: string
  readonly port: number
  /** Undefined: in the clear. */
  readonly tls: { readonly ca?: string } | undefined
  readonly user: string | undefined
  readonly password: string | undefined
  readonly database: number
}

export interface AddressFiles {
  readonly passwordFile?: string | undefined
  /** Roots in the place of the public ones. */
  readonly caFile?: string | undefined
}

/** @throws Error for what `redisProblem` names, and what reading the password file throws */
export function redisAddress(
  text: string,
  { passwordFile, caFile }: AddressFiles = {},
): RedisAddress {
  const problem = redisProblem(text)
  if (problem !== undefined) throw new Error(`the URL ${problem}`)
  const url = new URL(text)
  const password =
    passwordFile === undefined
      ? decodeURIComponent(url.password)
      : passwordIn(passwordFile)
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6379 : Number(url.port),
    tls: url.protocol === 'rediss:' ? rootsIn(caFile) : undefined,
    user: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: password === '' ? undefined : password,
    database: Number(url.pathname.slice(1) || 0),
  }
}

const rootsIn = (file: string | undefined): { readonly ca?: string } =>
  file === undefined ? {} : { ca: readFileSync(file, 'utf8') }

interface Pending {
  readonly resolve: (reply: Reply) => void
  readonly reject: (cause: Error) => void
  readonly timer: NodeJS.Timeout
}

export class Redis {
  readonly #socket: Socket
  readonly #reader = new ReplyReader()
  readonly #pending: Pending[] = []
  #ended: Error | undefined
  #onEnd: (cause: Error) => void = () => undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 30_000)
    socket.on('data', (bytes: Buffer) => this.#heard(bytes))
    socket.on('error', (cause) => this.#end(cause))
    socket.on('close', () => this.#end(new Error('the connection has ended')))
  }

  /** Connected, logged in, and at its database. @throws Error, without a password in it */
  static async open(address: RedisAddress, signal: AbortSignal): Promise<Redis> {
    const { host, port, user, password, database } = address
    const redis = new Redis(await connected(address, signal))
    try {
      if (password !== undefined)
        await redis.ask(['AUTH', ...(user === undefined ? [] : [user]), password])
      if (database > 0) await redis.ask(['SELECT', String(database)])
      await redis.ask(['PING'])
      return redis
    } catch (cause) {
      redis.close()
      const said = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`${host}:${port}: ${said}`, { cause })
    }
  }

  /** Told once, when it cannot be asked any more. */
  onEnd(told: (cause: Error) => void): void {
    this.#onEnd = told
    if (this.#ended !== undefined) told(this.#ended)
  }

  /** @throws ReplyError what the server refuses, Error when it cannot be asked */
  async ask(args: readonly string[]): Promise<Reply> {
    const reply = await this.#send(args)
    if (reply instanceof ReplyError) throw reply
    return reply
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(args: readonly string[]): Promise<Reply> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    if (this.#pending.length >= MOST_PENDING)
      return Promise.reject(new Error('too many commands wait for an answer'))
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end(new Error(`no answer in ${COMMAND_MS} ms`))
      }, COMMAND_MS)
      timer.unref()
      this.#pending.push({ resolve, reject, timer })
      this.#socket.write(commandText(args))
    })
  }

  #heard(bytes: Buffer): void {
    try {
      for (const reply of this.#reader.push(bytes)) {
        const pending = this.#pending.shift()
        if (pending === undefined) throw new RangeError('an answer that nobody asked for')
        clearTimeout(pending.timer)
        pending.resolve(reply)
      }
    } catch (cause) {
      this.#end(cause instanceof Error ? cause : new Error(String(cause)))
    }
  }

  #end(cause: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = cause
    this.#socket.destroy()
    for (const { reject, timer } of this.#pending.splice(0)) {
      clearTimeout(timer)
      reject(cause)
    }
    this.#onEnd(cause)
  }
}

function connected(
  { host, port, tls }: RedisAddress,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const isSecure = tls !== undefined
    const servername = isIP(host) === 0 ? { servername: host } : {}
    const socket = isSecure
      ? connectTls({ host, port, ...servername, ...tls })
      : connectPlain({ host, port })
    const late = setTimeout(() => fail(new Error('it does not answer')), CONNECT_MS)
    const fail = (cause: Error): void => {
      settle()
      socket.on('error', () => undefined)
      socket.destroy()
      reject(new Error(`${host}:${port}: ${cause.message}`, { cause }))
    }
    const done = (): void => {
      settle()
      resolve(socket)
    }
    const aborted = (): void => fail(new Error('stopped'))
    const settle = (): void => {
      clearTimeout(late)
      socket.off('error', fail)
      socket.off(isSecure ? 'secureConnect' : 'connect', done)
      signal.removeEventListener('abort', aborted)
    }
    socket.once('error', fail)
    socket.once(isSecure ? 'secureConnect' : 'connect', done)
    signal.addEventListener('abort', aborted, { once: true })
  })
}
