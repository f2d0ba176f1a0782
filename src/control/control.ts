/**
 * The control plane: the one door to the running YORI. Opens its places at the start, keeps them
 * over reloads, and loads what stands behind a method when it is asked for. Nothing of it is
 * needed for traffic: whatever fails here is told, and YORI serves on.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import { parseHostPort } from '../../config/schema-formats.js'
import { HOME_NAME } from '../core/own-paths.js'
import { formatSocketAddress } from '../core/address.js'
import type { Service } from '../core/service.js'
import { Attempts } from '../policy/attempts.js'
import { AccessLog } from './access-log.js'
import { Door } from './door.js'
import { Gate } from './gate.js'
import {
  addressOf,
  close,
  listenOnPort,
  listenOnSocket,
  socketPath,
} from './listeners.js'
import type { Listening } from './listeners.js'
import { Logins } from './logins.js'
import { METHODS } from './methods.js'
import type { Surroundings } from './method.js'
import { openAnswer } from './open-answers.js'
import type { OpenAnswer, OpenQuestion } from './open-answers.js'
import type { ConfigOfControl, ControlPlaces, ControlPort } from './port.js'
import { Reader } from './reader.js'
import type { Settings } from './settings.js'
import { keptToken } from './token.js'
import type { McpHouse } from './mcp-house.js'
import type { WhatIfJobs } from './what-if-jobs.js'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class Control implements Service {
  readonly name = 'control'
  readonly #port: ControlPort
  readonly #logins: Logins
  readonly #attempts = new Attempts()
  readonly #access = new AccessLog()
  readonly #reader: Reader
  readonly #places: Mutable<ControlPlaces> = {}
  #config: ConfigOfControl
  #settings: Promise<Settings | undefined> | undefined
  #whatIf: Promise<WhatIfJobs> | undefined
  #mcp: Promise<McpHouse> | undefined
  /** What could not be had. */
  readonly #problems: { socket?: string; port?: string } = {}
  #door: Door | undefined
  #socket: Listening | undefined
  #server: Listening | undefined
  #hosts: ReadonlySet<string> = new Set()

  constructor(config: ConfigOfControl, port: ControlPort) {
    this.#config = config
    this.#port = port
    this.#logins = new Logins(port.clock)
    port.telemetry.attach(port.appliance)
    const { alerts } = port
    if (alerts !== undefined) port.telemetry.attachAlerts(() => alerts.counts)
    this.#reader = new Reader({ database: config.audit.database })
  }

  get places(): ControlPlaces {
    return this.#places
  }

  /** Never rejects: `places.problem` has what could not be had, and so has the log, once. */
  async start(): Promise<void> {
    const { state_dir: stateDir } = this.#config
    const token = await keptToken(stateDir, this.#port.log)
    const gate = new Gate({
      token,
      logins: this.#logins,
      hosts: () => this.#hosts,
      linkHost: () => this.#linkHost(),
      roleOf: (person) =>
        this.#config.control.people.find(({ name }) => name === person)?.role,
    })
    const surroundings = (): Surroundings => ({
      port: this.#port,
      places: this.#places,
      gate,
      logins: this.#logins,
      attempts: this.#attempts,
      access: this.#access,
      reader: this.#reader,
      whatIf: () => (this.#whatIf ??= this.#loadWhatIf()),
      mcp: () => (this.#mcp ??= this.#loadMcp()),
      settings: () => (this.#settings ??= this.#loadSettings()),
    })
    this.#door = new Door({ methods: METHODS, gate, surroundings })
    await this.#port.telemetry.use(this.#config.otel)
    await this.#openSocket(socketPath(stateDir))
    await this.#openPort(this.#config)
  }

  /** The configuration has changed: another address is opened before the old one is closed. */
  async use(config: ConfigOfControl): Promise<void> {
    const before = this.#config.control.listen
    this.#config = config
    await this.#port.telemetry.use(config.otel)
    if (before === config.control.listen && this.#problems.port === undefined)
      return this.#takeHosts()
    const old = this.#server
    await this.#openPort(config)
    if (old !== undefined && old !== this.#server) await close(old)
  }

  /**
   * For a port that programs of this machine dial by its base URL: what `/health`, `/metrics`
   * and `/config` answer there, from loopback and without a token. Undefined: any other path.
   * Can be asked from the beginning, whether the control plane could listen or not.
   */
  openAnswer(asked: OpenQuestion): Promise<OpenAnswer | undefined> {
    return openAnswer({ port: this.#port }, asked)
  }

  async stop(): Promise<void> {
    const servers = [this.#socket, this.#server]
    this.#socket = undefined
    this.#server = undefined
    await Promise.all(servers.map(close))
    this.#reader.stop()
    await this.#whatIf?.then((jobs) => jobs.stop())
    await this.#mcp?.then((house) => house.stop())
    await this.#port.telemetry.stop()
  }

  /** Behind a proxy of the household's own it may be another name. */
  #linkHost(): string | undefined {
    const url = this.#port.alerts?.answerUrl
    return url === undefined ? undefined : new URL(url).host
  }

  #listener(isSocket: boolean) {
    return (request: IncomingMessage, response: ServerResponse): void => {
      void this.#door?.serve(request, response, isSocket)
    }
  }

  async #openSocket(path: string): Promise<void> {
    try {
      this.#socket = await listenOnSocket(path, this.#listener(true))
      this.#places.socket = path
    } catch (cause) {
      this.#cannot('socket', path, cause)
    }
  }

  async #openPort({ control }: ConfigOfControl): Promise<void> {
    delete this.#problems.port
    this.#tellProblems()
    const address = parseHostPort(control.listen)
    if (address === undefined) {
      this.#server = undefined
      delete this.#places.listen
      delete this.#places.url
      return
    }
    try {
      this.#server = await this.#openAt(address)
      const { address: bound, port } = addressOf(this.#server)
      this.#places.listen = formatSocketAddress({ address: bound, port })
      this.#places.url = this.#urlOf(bound, port)
      this.#takeHosts()
    } catch (cause) {
      this.#cannot('port', control.listen, cause)
    }
  }

  /** Beyond loopback it is TLS, by name. */
  async #openAt(address: { host: string; port: number }): Promise<Listening> {
    const listener = this.#listener(false)
    if (isLoopback(address.host)) return listenOnPort(address, listener)
    const { NamedListener } = await import('./named-listener.js')
    return NamedListener.open({
      ...address,
      listener,
      name: HOME_NAME,
      contextFor: (name) => this.#contextFor(name),
    })
  }

  #contextFor(name: string): Promise<SecureContext> | undefined {
    const { certificates } = this.#port.appliance.current.services
    const isOurs = name === HOME_NAME || this.#config.access.own_names.includes(name)
    return isOurs ? certificates.contextFor(name) : undefined
  }

  /** What a browser of this machine opens: loopback where that is served, too. */
  #urlOf(bound: string, port: number): string {
    const isAny = bound === '0.0.0.0' || bound === '::'
    const here = bound === '::' ? '::1' : '127.0.0.1'
    if (!isAny && !isLoopback(bound)) return `https://${HOME_NAME}:${port}`
    return `http://${formatSocketAddress({ address: isAny ? here : bound, port })}`
  }

  #cannot(what: 'socket' | 'port', where: string, cause: unknown): void {
    const code = (cause as NodeJS.ErrnoException | undefined)?.code
    const why = cause instanceof Error ? cause.message : String(cause)
    const reason = code === 'EADDRINUSE' ? 'another program listens there' : why
    this.#problems[what] = `${where}: ${reason}`
    this.#tellProblems()
    this.#port.log.warn(
      { where, reason },
      'the control plane could not listen; traffic is served all the same',
    )
  }

  #tellProblems(): void {
    const all = Object.values(this.#problems)
    delete this.#places.problem
    if (all.length > 0) this.#places.problem = all.join('; ')
  }

  async #loadSettings(): Promise<Settings | undefined> {
    const { settings, source, clock } = this.#port
    if (settings === undefined) return undefined
    const { Settings } = await import('./settings.js')
    const { state_dir: stateDir } = this.#config
    return new Settings({ ...settings, source, stateDir, now: () => clock.now() })
  }

  async #loadMcp(): Promise<McpHouse> {
    const { McpHouse } = await import('./mcp-house.js')
    const { state_dir: stateDir } = this.#config
    return new McpHouse({ stateDir, version: this.#port.version })
  }

  async #loadWhatIf(): Promise<WhatIfJobs> {
    const { WhatIfJobs } = await import('./what-if-jobs.js')
    return new WhatIfJobs({ clock: this.#port.clock })
  }

  /** What browsers may call us. */
  #takeHosts(): void {
    if (this.#server === undefined) return
    const { port } = addressOf(this.#server)
    const { control, access } = this.#config
    const listen = parseHostPort(control.listen)?.host ?? 'localhost'
    const own = listen.includes(':') ? `[${listen}]` : listen
    // By an address beyond loopback nobody is told anything but the name.
    const isTold = isIP(listen) === 0 || isLoopback(listen)
    const names = ['localhost', '127.0.0.1', '[::1]', HOME_NAME, ...access.own_names]
    if (isTold) names.push(own)
    this.#hosts = new Set(names.map((name) => `${name.toLowerCase()}:${port}`))
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}
