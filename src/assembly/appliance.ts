/**
 * Everything wired together: services start forward and stop backward; a reload builds the
 * next generation whole, swaps one reference and drains the old. When building fails, the old
 * one keeps serving.
 */
import { writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'
import { CaKeeper } from '../../ca/ca-keeper.js'
import type { Config } from '../../config/schema.js'
import { CaWatch } from '../../ca/ca-watch.js'
import { openAuditStore } from '../audit/store.js'
import type { AuditStore } from '../audit/store.js'
import { policyDatabasePath } from '../household/policy-database.js'
import { LivePolicyState } from '../household/live-state.js'
import type { SocketAddress } from '../core/address.js'
import type { Clock } from '../core/clock.js'
import { YoriError } from '../core/errors.js'
import { limitedLog } from '../core/limited-log.js'
import type { Log } from '../core/log.js'
import type { Service } from '../core/service.js'
import { orderedId } from '../core/ordered-id.js'
import { Generation } from './generation.js'
import type { GenerationEdges } from './generation.js'
import { DeviceIdentity } from '../net/device-identity.js'
import { LeaseFiles } from '../net/leases-files.js'
import { readNeighbours } from '../net/neighbours.js'
import { openOriginalDestination } from '../net/original-destination.js'
import type { OriginalDestination } from '../net/original-destination.js'
import { Descriptors } from '../net/descriptors.js'
import { ProviderClocks } from '../net/provider-clocks.js'
import { Deadlines } from '../net/deadlines.js'
import { lessonsPath } from '../net/lessons-file.js'
import { Listener } from '../net/listener.js'
import { trustPath } from '../net/trust-file.js'
import { SESSION_LIMITS } from '../conversations/sessions.js'
import { Conversations } from '../conversations/conversations.js'
import { makeTransparent } from '../net/transparent.js'
import { Resolver } from '../net/resolver.js'
import { OwnAddresses } from '../net/own-addresses.js'
import { Attempts } from '../policy/attempts.js'
import { InFlight } from '../policy/in-flight.js'
import { PaidAnswers } from '../policy/paid-answers.js'
import { UsageCounters } from '../policy/usage.js'
import type { PolicyMemory } from '../policy/decider.js'
import type { OverrideMemory } from '../household/overrides.js'
import { PassedContent } from '../household/passed-content.js'
import { RepeatedBlocks } from '../household/repeated-blocks.js'
import { RecentBlocks } from '../household/recent-blocks.js'
import { LocalTimes } from '../policy/local-time.js'
import type { LocalTime } from '../policy/local-time.js'
import { readAnswers } from '../audit/answer-rows.js'
import { readCounters } from '../audit/usage-rows.js'
import { LearnedNames } from '../learned/learned.js'
import { milliseconds } from './from-config/milliseconds.js'
import { Lifecycle, serviceOf } from './lifecycle.js'
import { Metering } from './metering.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'
import { LessonsKeeper } from '../learned/lessons-keeper.js'
import { Trials } from '../learned/trials.js'
import { TrustLedger } from '../learned/trust-ledger.js'
import { TicketKeys } from '../proxy/fronts/ticket-keys.js'
import { SteeringKeeper } from '../../pf/steering-keeper.js'

export interface ApplianceOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  /** For tests: in place of asking the kernel. */
  readonly destinations?: OriginalDestination
  /** Whoever else wants to see exchanges. */
  readonly observers?: readonly ExchangeObserver[]
}

export class Appliance {
  readonly audit: AuditStore
  /** Sessions, and the events of calls for whoever follows them. */
  readonly conversations: Conversations
  /** Who trusts us. */
  readonly trust: TrustLedger
  readonly #clock: Clock
  readonly #log: Log
  readonly #deadlines: Deadlines
  readonly #own: OwnAddresses
  readonly #clocks: ProviderClocks
  readonly #descriptors: Descriptors
  readonly #ticketKeys: TicketKeys
  readonly #memory: LearnedNames
  readonly #lessons: LessonsKeeper
  readonly #trials: Trials
  readonly #steering: SteeringKeeper
  readonly #listener: Listener
  readonly #identity: DeviceIdentity
  readonly #keeper: CaKeeper
  readonly #metering: Metering
  readonly #kept: LivePolicyState
  readonly #policyMemory: PolicyMemory = {
    counters: new UsageCounters(),
    inFlight: new InFlight(),
    bindings: new Map(),
    times: new LocalTimes(),
  }
  readonly #paidAnswers = new PaidAnswers(({ requestId }) => {
    this.#log.warn(
      { requestId },
      'too many answers are kept: one of them may be paid twice',
    )
  })
  readonly #overrideMemory: OverrideMemory = {
    tokenKey: randomBytes(32),
    attempts: new Attempts(),
    used: new Map(),
    blocks: new RecentBlocks(),
    passed: new PassedContent(),
    repeated: new RepeatedBlocks(),
  }
  readonly #lasting: Lifecycle
  #destinations: OriginalDestination | undefined
  readonly #observers: readonly ExchangeObserver[]
  #config: Config
  #generation: Generation | undefined
  #retired = new Map<Generation, Promise<void>>()
  #reloading: Promise<void> = Promise.resolve()
  #stopping: Promise<void> | undefined

  constructor(options: ApplianceOptions) {
    const { config, clock } = options
    const log = limitedLog(options.log, clock)
    this.#config = config
    this.#destinations = options.destinations
    this.#observers = options.observers ?? []
    this.#clock = clock
    this.#log = log
    this.#deadlines = new Deadlines(clock)
    this.#own = new OwnAddresses({ clock })
    this.#clocks = new ProviderClocks(clock)
    this.#descriptors = new Descriptors({
      clock,
      log,
      connections: () => this.#listener.connections,
    })
    this.#ticketKeys = new TicketKeys(clock.monotonic())
    this.#memory = new LearnedNames(clock)
    this.#lessons = new LessonsKeeper({
      path: lessonsPath(config.state_dir),
      memory: this.#memory,
      deadlines: this.#deadlines,
      log,
    })
    this.#trials = new Trials(clock)
    this.trust = new TrustLedger({
      path: trustPath(config.state_dir),
      clock,
      deadlines: this.#deadlines,
      log,
    })
    this.#steering = new SteeringKeeper({
      config,
      clock,
      log,
      deadlines: this.#deadlines,
      own: this.#own,
      openLookup: (options) => new Resolver({ ...options, clock }),
      event: (kind, details) => this.#event(kind, details),
    })
    const leases = new LeaseFiles()
    this.#identity = new DeviceIdentity({
      clock,
      neighbours: () => readNeighbours(),
      leases: () => leases.leases(),
    })
    this.#keeper = new CaKeeper({
      authority: () => this.current.authority,
      directory: config.ca.directory,
      clock,
      log,
      onChange: () => {
        const { rootFingerprint, staged } = this.current.authority
        this.#memory.useRoot(rootFingerprint)
        this.#event('ca-changed', { rootFingerprint, staged: staged !== undefined })
        this.#afterCaChange().catch((err: unknown) => {
          log.error({ err }, 'what depends on the CA was not renewed')
        })
      },
    })
    this.#kept = new LivePolicyState({
      file: policyDatabasePath(config.state_dir),
      clock,
      log,
      onExpired: ({ by, reason }) => this.#event('emergency_expired', { by, reason }),
    })
    this.audit = openAuditStore({
      database: config.audit.database,
      retentionDays: config.audit.retention_days,
      pruneAt: config.audit.prune_at,
      maxBytes: config.audit.max_bytes,
      batchRows: config.audit.batch_rows,
      batchMs: config.audit.batch_ms,
      queueRows: config.limits.audit_queue_rows,
      usage: this.#policyMemory.counters,
      answers: this.#paidAnswers,
      log,
      clock,
    })
    this.#metering = new Metering({
      counters: this.#policyMemory.counters,
      begin: ({ requestId, device }) =>
        this.current.services.decider.begin(requestId, device),
      inFlight: this.#policyMemory.inFlight,
      subjects: ({ device }) => this.current.services.decider.subjects(device),
      time: () => this.#localTime(),
    })
    this.conversations = new Conversations({
      clock,
      newId: () => orderedId(clock.now()),
      limits: {
        ...SESSION_LIMITS,
        maxSessions: config.limits.sessions,
        idleMs: milliseconds(config.timeouts.session_idle),
      },
      kept: config.audit.bodies,
    })
    if (config.audit.call_events) {
      this.conversations.calls.events.follow(({ timestamp, name, ...details }) => {
        this.audit.event({ at: timestamp, kind: name, details })
      })
    }
    this.#listener = new Listener({
      maxConnections: config.limits.connections,
      maxPerClient: config.limits.connections_per_client,
      keepAliveMs: milliseconds(config.timeouts.tcp_keep_alive),
      onConnection: (client) => this.#serve(client),
      onAcceptFailed: (error) => this.#descriptors.failed(error),
      onListening: (server, address) => this.#listening(server, address),
      onRefused: (client, limit) => {
        log.warn({ client: client.remoteAddress, limit }, 'too many connections')
        this.#generation?.refuse(client)
      },
    })
    this.#lasting = new Lifecycle(this.#services(), log)
  }

  /** What people changed while YORI runs. */
  get policyState(): LivePolicyState {
    return this.#kept
  }

  /** The generation that serves new connections. */
  get current(): Generation {
    if (this.#generation === undefined)
      throw new YoriError('YORI_INTERNAL', 'not started')
    return this.#generation
  }

  get rootFile(): string {
    return join(this.#config.state_dir, 'yori-root.pem')
  }

  get addresses(): SocketAddress[] {
    return this.#listener.addresses
  }

  /** Looks at every deadline now; a test does so after it has moved its clock. */
  tick(): void {
    this.#deadlines.tick()
  }

  /**
   * Gives the addresses that this machine does not have and that were left out.
   * @throws YORI_LISTEN_FAILED, YORI_CA_*, YORI_CONFIG_INVALID; nothing is left running then
   */
  async start(): Promise<SocketAddress[]> {
    try {
      this.#generation = await Generation.build(this.#config, await this.#edges())
      await this.#lasting.start()
      await this.#leaveRoot().catch((err: unknown) => {
        this.#log.warn(
          { reason: err instanceof Error ? err.message : String(err) },
          'the root certificate could not be written for clients',
        )
      })
      this.#warnOfNames(this.#generation)
      this.#descriptors.warnBelow(this.#config.limits.connections)
      const skipped = await this.#listener.listen(this.#config.listen.map(listenAddress))
      this.#event('start', { mode: this.#config.mode })
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

  /** New connections end, exchanges under way get `timeouts.drain`, then everything closes. */
  stop(): Promise<void> {
    this.#stopping ??= this.#shutDown()
    return this.#stopping
  }

  async #swap(config: Config): Promise<void> {
    const old = this.current
    const next = await Generation.build(config, await this.#edges())
    try {
      refuseNewNames(old, next)
      await this.#listener.listen(config.listen.map(listenAddress))
    } catch (error) {
      await next.destroy()
      throw error
    }
    this.#warnOfRestart(config)
    this.#warnOfNames(next)
    this.#generation = next
    this.#config = config
    this.#steering.use(config)
    this.#event('reload', { mode: config.mode })
    this.#await(
      old,
      old.retire(() => this.current),
    )
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
      this.#event('stop', {})
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
    await this.#lasting.stop()
  }

  /** What outlives a reload, in the order in which it is started. */
  #services(): Service[] {
    const watched = [
      { tick: () => this.conversations.sweep() },
      this.#ticketKeys,
      this.#descriptors,
      new CaWatch({
        condition: (nowMs) => this.current.authority.condition(nowMs),
        clock: this.#clock,
        log: this.#log,
        event: (kind, details) => this.#event(kind, details),
      }),
    ]
    return [
      this.audit,
      serviceOf('counters', () => this.#restoreCounters()),
      serviceOf('paid answers', () => this.#restoreAnswers()),
      serviceOf(
        'policy state',
        () => this.#kept.start(),
        () => this.#kept.stop(),
      ),
      this.#deadlines,
      serviceOf('watches', () => {
        for (const subject of watched) this.#deadlines.watch(subject)
      }),
      ...[this.#lessons, this.trust, this.#steering, this.#keeper],
    ]
  }

  /** What is paid for outlives a restart, too. */
  #restoreAnswers(): void {
    try {
      this.#paidAnswers.restore(readAnswers(this.#config.audit.database))
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.#log.warn(
        { reason },
        'answers of before may be paid again: they could not be read',
      )
    }
  }

  /** What this month has cost so far outlives a restart. */
  #restoreCounters(): void {
    const time = this.#localTime()
    try {
      const rows = readCounters(this.#config.audit.database, time.date)
      this.#policyMemory.counters.restore(rows, time)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.#log.warn({ reason }, 'the counters begin anew: they could not be read')
    }
  }

  #localTime(): LocalTime {
    const { timezone } = this.#config.enforcement
    return this.#policyMemory.times.at(this.#clock.now(), timezone)
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

  #serve(client: Socket): void {
    this.#generation?.serve(client)
  }

  async #edges(): Promise<GenerationEdges> {
    this.#destinations ??= await openOriginalDestination({
      own: this.#own,
      log: this.#log,
    })
    return {
      audit: this.audit,
      metering: this.#metering,
      observers: this.#observers,
      clock: this.#clock,
      log: this.#log,
      conversations: this.conversations,
      paidAnswers: this.#paidAnswers,
      deadlines: this.#deadlines,
      own: this.#own,
      kept: this.#kept,
      policyMemory: this.#policyMemory,
      ticketKeys: this.#ticketKeys,
      overrideMemory: this.#overrideMemory,
      memory: this.#memory,
      trials: this.#trials,
      trust: this.trust,
      ownPorts: () => this.#listener.addresses.map(({ port }) => port),
      clocks: this.#clocks,
      descriptors: this.#descriptors,
      concerns: () =>
        [this.#clocks, this.#descriptors, this.audit]
          .map(({ concern }) => concern)
          .filter((concern) => concern !== undefined),
      reach: () => this.#own.reachableAt(this.#listener.addresses),
      identify: (address) => this.#identity.resolve(address),
      destinations: this.#destinations,
    }
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

  #event(kind: string, details: Readonly<Record<string, unknown>>): void {
    this.audit.event({ at: this.#clock.now(), kind, details })
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
