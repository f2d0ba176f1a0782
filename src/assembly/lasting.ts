/**
 * What outlives a reload: the record, what was learned, what people decided, keys and counters.
 * Made once, started forward and stopped backward; generations are handed it as their edges.
 */
import { randomBytes } from 'node:crypto'
import { CaKeeper } from '../../ca/ca-keeper.js'
import type { OpenAnswers } from '../proxy/dispatch/port.js'
import type { Config } from '../../config/schema.js'
import { CaWatch } from '../../ca/ca-watch.js'
import { openAuditStore } from '../audit/store.js'
import type { AuditStore } from '../audit/store.js'
import { policyDatabasePath } from '../household/policy-database.js'
import { LivePolicyState } from '../household/live-state.js'
import type { SocketAddress } from '../core/address.js'
import type { Clock } from '../core/clock.js'
import type { MayConcern } from '../core/concern.js'
import type { Log } from '../core/log.js'
import type { Service } from '../core/service.js'
import { orderedId } from '../core/ordered-id.js'
import type { Generation } from './generation.js'
import type { GenerationEdges } from './generation.js'
import { DeviceIdentity } from '../net/device-identity.js'
import { LeaseFiles } from '../net/leases-files.js'
import { localPrograms } from '../net/local-program.js'
import { readNeighbours } from '../net/neighbours.js'
import { openOriginalDestination } from '../net/original-destination.js'
import type { OriginalDestination } from '../net/original-destination.js'
import { Descriptors } from '../net/descriptors.js'
import { ProviderClocks } from '../net/provider-clocks.js'
import { Deadlines } from '../net/deadlines.js'
import { lessonsPath } from '../net/lessons-file.js'
import { trustPath } from '../net/trust-file.js'
import { SESSION_LIMITS } from '../conversations/sessions.js'
import { Conversations } from '../conversations/conversations.js'
import { Resolver } from '../net/resolver.js'
import { OwnAddresses } from '../net/own-addresses.js'
import { Attempts } from '../policy/attempts.js'
import { InFlight } from '../policy/in-flight.js'
import { PaidAnswers } from '../policy/paid-answers.js'
import { noAnswerCounts } from '../pools/answer-cache.js'
import { TargetMemory } from '../pools/pools.js'
import { UsageCounters } from '../policy/usage.js'
import type { AccessMemory } from '../policy/access-gate.js'
import type { PolicyMemory } from '../policy/decider.js'
import type { Elsewhere } from '../household/elsewhere.js'
import { HELD_EVENT, Holds, heldDetails } from '../household/holds.js'
import type { OverrideMemory } from '../household/overrides.js'
import { PassedContent } from '../household/passed-content.js'
import { RepeatedBlocks } from '../household/repeated-blocks.js'
import { RecentBlocks } from '../household/recent-blocks.js'
import { LocalTimes } from '../policy/local-time.js'
import type { LocalTime } from '../policy/local-time.js'
import type { SharedUse } from '../policy/shared-use.js'
import { readAnswers } from '../audit/answer-rows.js'
import { readCounters } from '../audit/usage-rows.js'
import { LearnedNames } from '../learned/learned.js'
import { milliseconds } from './from-config/milliseconds.js'
import { serviceOf } from './lifecycle.js'
import { Metering } from './metering.js'
import type { Provider } from './services.js'
import type { ExchangeObserver } from '../proxy/words/observer.js'
import { ToolPins, toolPinsPath } from '../learned/tool-pins.js'
import { LessonsKeeper } from '../learned/lessons-keeper.js'
import { Trials } from '../learned/trials.js'
import { TrustLedger } from '../learned/trust-ledger.js'
import { TicketKeys } from '../proxy/fronts/ticket-keys.js'
import { SteeringKeeper } from '../../pf/steering-keeper.js'

/** What the appliance knows, for those who last longer than a generation. */
export interface LastingHooks {
  readonly current: () => Generation
  readonly addresses: () => readonly SocketAddress[]
  readonly connections: () => number
  /** The household's, also before there is a generation; undefined is the system's. */
  readonly zone: () => string | undefined
  /** The CA was rotated, renewed, or put in place. */
  readonly caChanged: () => Promise<void>
}

export interface LastingOptions {
  readonly config: Config
  readonly clock: Clock
  readonly log: Log
  readonly observers: readonly ExchangeObserver[]
  /** In the place of the providers. */
  readonly provider?: Provider | undefined
  readonly concerns?: (() => readonly MayConcern[]) | undefined
  readonly shared?: SharedUse | undefined
  readonly elsewhere?: Elsewhere | undefined
}

export class Lasting {
  readonly audit: AuditStore
  readonly conversations: Conversations
  readonly trust: TrustLedger
  readonly kept: LivePolicyState
  readonly steering: SteeringKeeper
  readonly descriptors: Descriptors
  readonly holds = new Holds()
  readonly #options: LastingOptions
  readonly #hooks: LastingHooks
  readonly #deadlines: Deadlines
  readonly #own: OwnAddresses
  readonly #clocks: ProviderClocks
  readonly #targets = new TargetMemory()
  readonly #answerCounts = noAnswerCounts()
  readonly #ticketKeys: TicketKeys
  readonly #memory: LearnedNames
  readonly #lessons: LessonsKeeper
  readonly #trials: Trials
  readonly #toolPins: ToolPins
  readonly #identity: DeviceIdentity
  readonly #programs = localPrograms()
  readonly #keeper: CaKeeper
  readonly #metering: Metering
  readonly #policyMemory: PolicyMemory & AccessMemory & { shared?: SharedUse } = {
    counters: new UsageCounters(),
    inFlight: new InFlight(),
    bindings: new Map(),
    times: new LocalTimes(),
    rates: new Map(),
    guessed: new Map(),
  }
  readonly #paidAnswers = new PaidAnswers(({ requestId }) => {
    this.#options.log.warn(
      { requestId },
      'too many answers are kept: one of them may be paid twice',
    )
  })
  readonly #overrideMemory: OverrideMemory & { elsewhere?: Elsewhere } = {
    tokenKey: randomBytes(32),
    attempts: new Attempts(),
    used: new Map(),
    asked: new Map(),
    blocks: new RecentBlocks(),
    passed: new PassedContent(),
    repeated: new RepeatedBlocks(),
  }

  /** What the control plane answers at the listener of a gateway, once there is one. */
  openAnswers: OpenAnswers | undefined

  constructor(options: LastingOptions, hooks: LastingHooks) {
    const { config, clock, log } = options
    this.#options = options
    this.#hooks = hooks
    if (options.shared !== undefined) {
      options.shared.attach(this.#policyMemory)
      this.#policyMemory.shared = options.shared
      this.#policyMemory.counters.share(options.shared)
    }
    this.#deadlines = new Deadlines(clock)
    this.#own = new OwnAddresses({ clock })
    this.#clocks = new ProviderClocks(clock)
    this.descriptors = new Descriptors({
      clock,
      log,
      connections: hooks.connections,
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
    this.#toolPins = new ToolPins(toolPinsPath(config.state_dir), log)
    this.trust = new TrustLedger({
      path: trustPath(config.state_dir),
      clock,
      deadlines: this.#deadlines,
      log,
    })
    this.steering = new SteeringKeeper({
      config,
      clock,
      log,
      deadlines: this.#deadlines,
      own: this.#own,
      openLookup: (options) => new Resolver({ ...options, clock }),
      event: (kind, details) => this.event(kind, details),
    })
    const leases = new LeaseFiles()
    this.#identity = new DeviceIdentity({
      clock,
      neighbours: () => readNeighbours(),
      leases: () => leases.leases(),
    })
    this.#keeper = new CaKeeper({
      authority: () => hooks.current().authority,
      directory: config.ca.directory,
      clock,
      log,
      onChange: () => {
        const { rootFingerprint, staged } = hooks.current().authority
        this.#memory.useRoot(rootFingerprint)
        this.event('ca-changed', { rootFingerprint, staged: staged !== undefined })
        hooks.caChanged().catch((err: unknown) => {
          log.error({ err }, 'what depends on the CA was not renewed')
        })
      },
    })
    this.kept = new LivePolicyState({
      file: policyDatabasePath(config.state_dir),
      clock,
      log,
      onExpired: ({ by, reason }) => this.event('emergency_expired', { by, reason }),
    })
    if (options.elsewhere !== undefined) {
      options.elsewhere.attach(this.kept)
      this.#overrideMemory.elsewhere = options.elsewhere
    }
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
      zone: () => hooks.zone(),
      log,
      clock,
    })
    this.#metering = new Metering({
      counters: this.#policyMemory.counters,
      begin: ({ requestId, device, keySubjects }) =>
        hooks.current().services.decider.begin(requestId, device, keySubjects),
      inFlight: this.#policyMemory.inFlight,
      subjects: ({ device, keySubjects: access }) => ({
        ...hooks.current().services.decider.subjects(device),
        access,
      }),
      byKey: ({ requestId, keySubjects: subjects = [] }, tokens) =>
        hooks.current().services.keys.ended({ subjects }, requestId, tokens),
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
  }

  event(kind: string, details: Readonly<Record<string, unknown>>): void {
    const { clock, log, observers } = this.#options
    const record = { at: clock.now(), kind, details }
    this.audit.event(record)
    for (const observer of observers)
      try {
        observer.event?.(record)
      } catch (err) {
        log.error({ err, observer: observer.name }, 'an observer of events failed')
      }
  }

  /** In the order in which they are started. */
  services(): Service[] {
    const { clock, log } = this.#options
    const watched = [
      { tick: () => this.conversations.sweep() },
      this.#ticketKeys,
      this.descriptors,
      new CaWatch({
        condition: (nowMs) => this.#hooks.current().authority.condition(nowMs),
        clock,
        log,
        event: (kind, details) => this.event(kind, details),
      }),
    ]
    return [
      this.audit,
      serviceOf('counters', () => this.#restoreCounters()),
      serviceOf('paid answers', () => this.#restoreAnswers()),
      serviceOf(
        'policy state',
        () => this.kept.start(),
        () => this.kept.stop(),
      ),
      this.#deadlines,
      serviceOf('watches', () => {
        for (const subject of watched) this.#deadlines.watch(subject)
      }),
      ...[this.#lessons, this.#toolPins, this.trust, this.steering, this.#keeper],
    ]
  }

  /** What is paid for outlives a restart, too. */
  #restoreAnswers(): void {
    try {
      this.#paidAnswers.restore(readAnswers(this.#options.config.audit.database))
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.#options.log.warn(
        { reason },
        'answers of before may be paid again: they could not be read',
      )
    }
  }

  /** What this month has cost so far outlives a restart. */
  #restoreCounters(): void {
    const time = this.#localTime()
    try {
      const rows = readCounters(this.#options.config.audit.database, time.date)
      this.#policyMemory.counters.restore(rows, time)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      this.#options.log.warn(
        { reason },
        'the counters begin anew: they could not be read',
      )
    }
  }

  #localTime(): LocalTime {
    const { timezone } = this.#hooks.current().config.enforcement
    return this.#policyMemory.times.at(this.#options.clock.now(), timezone)
  }

  edges(destinations: OriginalDestination): GenerationEdges {
    const { clock, log, observers, provider, concerns: others = NOBODY } = this.#options
    return {
      provider,
      audit: this.audit,
      metering: this.#metering,
      observers,
      clock,
      log,
      conversations: this.conversations,
      paidAnswers: this.#paidAnswers,
      deadlines: this.#deadlines,
      own: this.#own,
      kept: this.kept,
      policyMemory: this.#policyMemory,
      ticketKeys: this.#ticketKeys,
      targets: this.#targets,
      answerCounts: this.#answerCounts,
      overrideMemory: this.#overrideMemory,
      holds: this.holds,
      tellHeld: (call) => this.event(HELD_EVENT, heldDetails(call)),
      memory: this.#memory,
      trials: this.#trials,
      toolPins: this.#toolPins,
      trust: this.trust,
      ownPorts: () => this.#hooks.addresses().map(({ port }) => port),
      clocks: this.#clocks,
      descriptors: this.descriptors,
      concerns: () =>
        [this.#clocks, this.descriptors, this.audit, ...others()]
          .map(({ concern }) => concern)
          .filter((concern) => concern !== undefined),
      reach: () => this.#own.reachableAt(this.#hooks.addresses()),
      identify: (address) => this.#identity.resolve(address),
      programs: this.#programs,
      openAnswers: () => this.openAnswers,
      destinations,
    }
  }

  /** Asks the kernel whom a client dialled. */
  destinations(): Promise<OriginalDestination> {
    const own = { has: (address: string) => this.#own.hasByNow(address) }
    return openOriginalDestination({ own, log: this.#options.log })
  }

  tick(): void {
    this.#deadlines.tick()
  }
}

const NOBODY = (): readonly MayConcern[] => []
