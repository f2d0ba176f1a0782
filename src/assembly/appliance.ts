/**
 * Everything wired together: services start forward and stop backward; a reload builds the
 * next generation whole, swaps one reference and drains the old. When building fails, the old
 * one keeps serving.
 */
import { writeFile } from 'node:fs/promises'
import type { Server } from 'node:net'
import { join } from 'node:path'
import type { Config } from '../../config/schema.js'
import type { AuditStore } from '../audit/store.js'
import type { Elsewhere } from '../household/elsewhere.js'
import type { Holds } from '../household/holds.js'
import type { LivePolicyState } from '../household/live-state.js'
import type { SocketAddress } from '../core/address.js'
import type { Clock } from '../core/clock.js'
import type { MayConcern } from '../core/concern.js'
import { YoriError } from '../core/errors.js'
import { limitedLog } from '../core/limited-log.js'
import type { Log } from '../core/log.js'
import { Generation } from './generation.js'
import type { GenerationEdges } from './generation.js'
import type { OriginalDestination } from '../net/original-destination.js'
import { Listener } from '../net/listener.js'
import type { SharedUse } from '../policy/shared-use.js'
import type { Conversations } from '../conversations/conversations.js'
import { makeTransparent } from '../net/transparent.js'
import { milliseconds } from './from-config/milliseconds.js'
import { Lasting } from './lasting.js'
import { Lifecycle } from './lifecycle.js'
import type { Provider } from './services.js'
import type { OpenAnswers } from '../proxy/dispatch/port.js'
import type { SteeringStands } from '../../pf/steering-keeper.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'
import type { TrustLedger } from '../learned/trust-ledger.js'

export interface ApplianceOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** For tests: in place of asking the kernel. */
  readonly destinations?: OriginalDestination
  /** Whoever else wants to see exchanges. */
  readonly observers?: readonly ExchangeObserver[]
  /** In the place of the providers: nothing goes up to them then. */
  readonly provider?: Provider
  /** Whoever else may have one. */
  readonly concerns?: () => readonly MayConcern[]
  /** Where other gateways count, too. */
  readonly shared?: SharedUse
  /** Where they know of attempts, PINs and grants, too. */
  readonly elsewhere?: Elsewhere
}

export class Appliance {
  readonly #log: Log
  readonly #lasting: Lasting
  readonly #services: Lifecycle
  readonly #listener: Listener
  #destinations: OriginalDestination | undefined
  #config: Config
  #reloads = 0
  #generation: Generation | undefined
  #retired = new Map<Generation, Promise<void>>()
  #reloading: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor(options: ApplianceOptions) {
    const {
      config,
      clock,
      observers = [],
      provider,
      concerns,
      shared,
      elsewhere,
    } = options
    const log = limitedLog(options.log, clock)
    this.#log = log
    this.#config = config
    this.#destinations = options.destinations
    this.#listener = new Listener({
      maxConnections: config.limits.connections,
      maxPerClient: config.limits.connections_per_client,
      keepAliveMs: milliseconds(config.timeouts.tcp_keep_alive),
      onConnection: (client) => this.#generation?.serve(client),
      onAcceptFailed: (error) => this.#lasting.descriptors.failed(error),
      onListening: (server, address) => this.#listening(server, address),
      onRefused: (client, limit) => {
        log.warn({ client: client.remoteAddress, limit }, 'too many connections')
        this.#generation?.refuse(client)
      },
    })
    this.#lasting = new Lasting(
      { config, clock, log, observers, provider, concerns, shared, elsewhere },
      {
        current: () => this.current,
        addresses: () => this.#listener.addresses,
        connections: () => this.#listener.connections,
        zone: () => (this.#generation?.config ?? config).enforcement.timezone,
        caChanged: () => this.#afterCaChange(),
      },
    )
    this.#services = new Lifecycle(this.#lasting.services(), log)
  }

  get audit(): AuditStore {
    return this.#lasting.audit
  }

  /** Sessions, and the events of calls for whoever follows them. */
  get conversations(): Conversations {
    return this.#lasting.conversations
  }

  /** Who answers `/metrics` and `/config` where the listener is a gateway's. */
  useOpenAnswers(answers: OpenAnswers): void {
    this.#lasting.openAnswers = answers
  }

  /** Whether packets are led here, as it was last seen. */
  get steering(): SteeringStands {
    return this.#lasting.steering.stands
  }

  /** Who trusts us. */
  get trust(): TrustLedger {
    return this.#lasting.trust
  }

  /** Requests that wait for the word of an adult. */
  get holds(): Holds {
    return this.#lasting.holds
  }

  /** What people changed while YORI runs. */
  get policyState(): LivePolicyState {
    return this.#lasting.kept
  }

  /** The generation that serves new connections. */
  get current(): Generation {
    if (this.#generation === undefined)
      throw new YoriError('YORI_INTERNAL', 'not started')
    return this.#generation
  }

  /** Connections of clients that are open. */
  get connections(): number {
    return this.#listener.connections
  }

  /** Configurations that were taken since the start. */
  get reloads(): number {
    return this.#reloads
  }

  get rootFile(): string {
    return join(this.#config.state_dir, 'yori-root.pem')
  }

  get addresses(): SocketAddress[] {
    return this.#listener.addresses
  }

  /** Looks at every deadline now; a test does so after it has moved its clock. */
  tick(): void {
    this.#lasting.tick()
  }

  /**
   * Gives the addresses that this machine does not have and that were left out.
   * @throws YORI_LISTEN_FAILED, YORI_CA_*, YORI_CONFIG_INVALID; nothing is left running then
   */
  async start(): Promise<SocketAddress[]> {
    try {
      this.#generation = await Generation.build(this.#config, await this.#edges())
      await this.#services.start()
      await this.#leaveRoot().catch((err: unknown) => {
        this.#log.warn(
          { reason: err instanceof Error ? err.message : String(err) },
          'the root certificate could not be written for clients',
        )
      })
      this.#warnOfNames(this.#generation)
      this.#lasting.descriptors.warnBelow(this.#config.limits.connections)
      const skipped = await this.#listener.listen(this.#config.listen.map(listenAddress))
      this.#lasting.event('start', { mode: this.#config.mode })
      return skipped
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /**
   * Swaps to another configuration; one at a time, in the order asked.
   * @throws as `start`, and then the running configuration keeps serving
   */
  reload(config: Config): Promise<void> {
    const next = this.#reloading.then(() => this.#swap(config))
    this.#reloading = next.catch(() => undefined)
    return next
  }

  /** The same configuration once more, for what it names has changed. @throws as `reload` */
  rebuild(): Promise<void> {
    const next = this.#reloading.then(() => this.#swap(this.#config))
    this.#reloading = next.catch(() => undefined)
    return next
  }

  /** New connections end, exchanges under way get `timeouts.drain`, then everything closes. */
  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown()
    return this.#stopping
  }

  async #swap(config: Config): Promise<void> {
    const old = this.current
    const next = await this.#built(config, old)
    try {
      refuseNewNames(old, next)
      await this.#listener.listen(config.listen.map(listenAddress))
    } catch (error) {
      await next.destroy()
      await this.#issueAgain(old)
      throw error
    }
    this.#warnOfRestart(config)
    this.#warnOfNames(next)
    this.#generation = next
    this.#config = config
    this.#reloads++
    this.#lasting.steering.use(config)
    this.#lasting.event('reload', { mode: config.mode })
    this.#await(
      old,
      old.retire(() => this.current),
    )
  }

  async #built(config: Config, old: Generation): Promise<Generation> {
    try {
      return await Generation.build(config, await this.#edges())
    } catch (error) {
      await this.#issueAgain(old)
      throw error
    }
  }

  /** The one that was refused had made an issuing CA for its own names. */
  async #issueAgain({ authority }: Generation): Promise<void> {
    await authority.reload().catch((err: unknown) => {
      this.#log.error(
        { err },
        'the CA could not be made anew for the names that are served',
      )
    })
  }

  /** Without a deadline: a stream may be long, and a reload is no reason to cut it. */
  #await(generation: Generation, drained: Promise<void>): void {
    const ended = drained.then(() => generation.destroy())
    this.#retired.set(generation, ended)
    void ended.finally(() => this.#retired.delete(generation))
  }

  async #shutDown(): Promise<void> {
    await this.#listener.close()
    if (this.#generation !== undefined) {
      this.#lasting.event('stop', {})
      for (const generation of this.#retired.keys()) void generation.drain()
      this.#await(this.#generation, this.#generation.drain())
      const drained = Promise.all(this.#retired.values())
      await Promise.race([drained, after(milliseconds(this.#config.timeouts.drain))])
      this.#listener.destroyAll()
      const left = [...this.#retired.keys()]
      await Promise.all(left.map((generation) => generation.destroy()))
      await drained
    }
    this.conversations.end()
    await this.#services.stop()
  }

  async #afterCaChange(): Promise<void> {
    await this.current.renewSite()
    await this.#leaveRoot()
  }

  /** The root certificate beside the CA's folder, ready to be handed to clients. */
  async #leaveRoot(): Promise<void> {
    await writeFile(this.rootFile, this.current.authority.rootPem)
  }

  #listening(server: Server, address: SocketAddress): void {
    if (this.#destinations === undefined) return
    const { transparent: wanted, interfaces, guests } = this.#config.steer
    const steered = interfaces.length + guests.length > 0
    makeTransparent(server, address, this.#destinations, {
      wanted,
      steered,
      log: this.#log,
    })
  }

  async #edges(): Promise<GenerationEdges> {
    this.#destinations ??= await this.#lasting.destinations()
    return this.#lasting.edges(this.#destinations)
  }

  /** What a reload cannot change while connections and rows are held. */
  #warnOfRestart(config: Config): void {
    const fixed = ['audit', 'state_dir'] as const
    for (const key of fixed) {
      if (JSON.stringify(config[key]) === JSON.stringify(this.#config[key])) continue
      this.#log.warn({ key }, 'this change takes effect at the next start')
    }
  }

  /** Endpoints that the CA may not sign for pass untouched; the operator should know. */
  #warnOfNames({ authority }: Generation): void {
    const { notPermitted, awaitingRotation } = authority
    if (notPermitted.length > 0) {
      const hint =
        'tunnelled: outside what the root may sign; `yori ca rotate --root` makes a new one'
      this.#log.warn({ names: notPermitted }, hint)
    }
    if (awaitingRotation.length > 0) {
      this.#log.warn({ names: awaitingRotation }, 'tunnelled until `yori ca rotate`')
    }
  }
}

/** A name that only a new root could serve is a mistake while we run; at a start it is told. */
function refuseNewNames(old: Generation, next: Generation): void {
  const known = new Set(old.authority.notPermitted)
  const fresh = next.authority.notPermitted.filter((name) => !known.has(name))
  if (fresh.length === 0) return
  const hint =
    'add them to ca.permitted and run `yori ca rotate --root`, or set route: tunnel'
  throw new YoriError('YORI_CA_NAME_NOT_PERMITTED', `${fresh.join(', ')}: ${hint}`)
}

function listenAddress(text: string): SocketAddress {
  const colon = text.lastIndexOf(':')
  const host = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  return { address: host, port: Number(text.slice(colon + 1)) }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
