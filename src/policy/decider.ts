/**
 * The decisions of one configuration: its policies and lists, united with what the database
 * holds at the moment of the question. Keeps no state of its own but what can be built again;
 * counts and bindings are given, and outlive a reload.
 */
import { deviceId } from '../core/device-id.js'
import type { Clock } from '../core/clock.js'
import { untilText } from '../core/moment-text.js'
import type { Detector } from '../detect/detector.js'
import type { Device } from '../core/record.js'
import { approvedFor, byEmergency, byGrant, bypassOf } from './bypass.js'
import type { Bypass } from './bypass.js'
import {
  SESSION_STOP_POLICY,
  sessionStop,
  TIME_RULES_POLICY,
  timeRules,
} from './built-in.js'
import type { EmergencyChange, EmergencyRequest } from './emergency.js'
import { DeviceBook, UNKNOWN_GROUP } from './devices.js'
import type { Bindings, Identity } from './devices.js'
import { Engine } from './engine.js'
import { joined } from './join.js'
import type { Decision, EngineOptions, Question } from './engine.js'
import { policyInput, policyInputs } from './input.js'
import type { InFlight, View, Waited, WorstCase } from './in-flight.js'
import type { CountersFacts, InputFacts } from './input.js'
import { isWithin } from './local-time.js'
import type { LocalTime, LocalTimes } from './local-time.js'
import type { SharedUse } from './shared-use.js'
import { PAUSE_POLICY, pausedDecision } from './pause.js'
import { isUnlimited, PERSON_POLICY, personLimits } from './person-limits.js'
import { DEFAULT_POLICY, UNCONFIGURED } from './policy.js'
import type { Policy, PolicySetting } from './policy.js'
import type { Voice } from './combine.js'
import { united } from './state.js'
import type { Grant, PolicyState } from './state.js'
import type {
  Spent,
  Subjects,
  Ticket,
  Usage,
  UsageCounters,
  UsageScope,
} from './usage.js'

/** Lasts as long as the process. */
export interface PolicyMemory {
  readonly counters: UsageCounters
  /** Calls that have not ended. */
  readonly inFlight: InFlight
  readonly bindings: Bindings
  readonly times: LocalTimes
  /** What other gateways count; undefined: this is the only one. */
  readonly shared?: SharedUse | undefined
}

/** The state of the database; the same object as long as nothing has changed. */
export interface KeptState {
  readonly current: PolicyState
  /** The key of digests by which approvals name what was said; stays on this machine. */
  readonly markKey: Buffer
  /** Looks whether another process has changed it; costs microseconds where none has. */
  refresh(): void
  /** A grant made here holds at once. */
  mint(grant: Grant): void
  /** A grant for one request has been used. */
  spend(grantId: string): void
  /** False: that PIN is used up already. */
  usePin(pinId: string): boolean
  /** Ends all enforcement for a while. */
  activate(request: EmergencyRequest): EmergencyChange
}

export interface DeciderOptions extends EngineOptions {
  /** The lists of the configuration file. */
  readonly file: PolicyState
  readonly kept: KeptState
  readonly memory: PolicyMemory
  readonly zone: string | undefined
  readonly listMode: 'allowlist' | 'blocklist'
  readonly emergencyAllowed: boolean
  /** A call that does not fit beside those in flight waits for them so long. */
  readonly inFlightWaitMs: number
  /** The address of an entry is another device's now; told once for each. */
  readonly onSuspended: (entry: string, device: Device, boundMac: string) => void
  readonly clock: Clock
  /** By which findings are looked for; undefined: by the rules that come with YORI. */
  readonly detector?: Detector | undefined
  /** Programs that are asked about requests after the policies, by the names they speak by. */
  readonly lookers?: readonly Looker[]
}

export interface Looker {
  readonly name: string
  /** Its word may block. */
  readonly blocks: boolean
}

export type DecisionFacts = Omit<
  InputFacts,
  'identity' | 'time' | 'counters' | 'nowMs'
> & {
  /** Why the request could not be read as a whole. */
  readonly uninspectable: string | undefined
  /** See `Question`, as the next. */
  readonly unstructured?: string | undefined
  readonly promptCut?: string | undefined
  readonly redact: Question['redact']
  /** How what is in flight is looked at; undefined: as it was counted. */
  readonly view?: View | undefined
}

/** A call that is weighed beside those in flight. */
export interface Flight {
  /** Goes up whenever something ends that counts for the same. */
  readonly changes: number
  /** Something is before it. */
  readonly isBeside: boolean
  reserve(): void
  release(): void
  /** At once, where something has ended since. */
  wait(since: number): Promise<Waited>
  settled(): void
  /** One of those that wait at a time, so that none of them stands in another's way. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
}

/** How a policy is set, for people. */
export interface NamedPolicy {
  readonly name: string
  /** Its file was found; the configuration may name others, and some are built in. */
  readonly loaded: boolean
  readonly enabled: boolean
  readonly action: PolicySetting['action']
  readonly fail_mode: PolicySetting['failMode']
  readonly order: number
}

interface Lists {
  readonly kept: PolicyState
  readonly state: PolicyState
  readonly book: DeviceBook
}

/** Rules carry their own action; the configuration may still lower it. */
export const TIME_RULES: PolicySetting = {
  enabled: true,
  action: 'block',
  failMode: 'open',
  order: 100,
}
const MAX_TOLD = 1024

/** What is not known by name alone. */
const NO_REQUEST = {
  requestId: '',
  method: '',
  path: '',
  call: true,
  rawHeaders: [],
  body: undefined,
  bodyState: 'absent',
  userAgent: undefined,
  provider: undefined,
  model: undefined,
  prompt: '',
  promptChars: undefined,
  toolsOffered: undefined,
  findings: [],
  session: undefined,
  inputPrice: undefined,
} as const

export class Decider {
  readonly #options: DeciderOptions
  readonly #engine: Engine
  /** Of those alone that need no request. */
  readonly #byName: Engine
  readonly #configured: boolean
  readonly #told = new Set<string>()
  #lists: Lists | undefined

  constructor(options: DeciderOptions) {
    this.#options = options
    const { policies, settings, memory, zone } = options
    const rules = timeRules(() => this.lists, { times: memory.times, zone })
    const stop = sessionStop(() => this.lists.state)
    const person = personLimits(() => this.lists, { times: memory.times, zone })
    const withRules = new Map([
      [rules.name, TIME_RULES],
      [person.name, TIME_RULES],
      [stop.name, TIME_RULES],
      ...settings,
    ])
    this.#engine = new Engine({
      ...options,
      policies: [...policies, rules, person, stop],
      settings: withRules,
    })
    // Who speaks when no other does speaks of requests.
    const byName = new Map(withRules)
    byName.delete(DEFAULT_POLICY)
    this.#byName = new Engine({
      ...options,
      policies: [...policies, rules, person].filter((one) => one.judgesByName === true),
      settings: byName,
      onUninspectable: 'allow',
    })
    const asked = policies.some(({ name }) => settings.get(name)?.enabled !== false)
    this.#configured = asked || settings.get(DEFAULT_POLICY)?.enabled === true
  }

  /** By name: those of files, and how each is set. */
  get policies(): readonly NamedPolicy[] {
    const { policies, settings } = this.#options
    const names = new Set([...settings.keys(), ...policies.map(({ name }) => name)])
    const loaded = new Set(policies.map(({ name }) => name))
    return [...names].sort().map((name) => {
      const { enabled, action, failMode, order } = settings.get(name) ?? UNCONFIGURED
      const isLoaded = loaded.has(name)
      return { name, loaded: isLoaded, enabled, action, fail_mode: failMode, order }
    })
  }

  /** Somebody is there to be asked about every request. */
  get isGoverned(): boolean {
    return this.#configured
  }

  /** Nothing can come of asking. */
  get idle(): boolean {
    const { rules, stops, people, acts } = this.lists.state
    const limited = people.some((person) => !isUnlimited(person))
    return (
      !this.#configured && !limited && rules.length + stops.length + acts.length === 0
    )
  }

  /** False: what of a request's structure nobody can be sure of blocks nothing. */
  get mindsStructure(): boolean {
    return this.#engine.mindsStructure
  }

  /** Mode, switch and consent together. */
  get mayBlock(): boolean {
    return this.#options.mayBlock
  }

  /** May something be blocked, of any device, by policies or by those who look after them? */
  get holds(): boolean {
    const { mayBlock, lookers = [] } = this.#options
    return mayBlock && (!this.idle || lookers.length > 0)
  }

  /** What is decided takes effect now. */
  get enforces(): boolean {
    const { mayBlock, clock } = this.#options
    return mayBlock && this.#emergency(clock.now()) === undefined
  }

  /**
   * Must the decision of the policies be known before the first byte of a request goes on? Also
   * of a device that is paused, where they block nothing.
   */
  holdsFor(device: Device): boolean {
    return (this.mayBlock && !this.idle) || this.isPaused(device)
  }

  /** Has somebody of the household paused it? In every mode. */
  isPaused(device: Device): boolean {
    return this.lists.book.act(device, this.#options.clock.now())?.kind === 'pause'
  }

  /** Undefined: it is not paused. Enforces nothing where something lets it past that. */
  paused(device: Device, endpoint: string): Decision | undefined {
    const { clock, zone } = this.#options
    const nowMs = clock.now()
    const { book, state } = this.lists
    const act = book.act(device, nowMs)
    if (act?.kind !== 'pause') return undefined
    const reason = `paused until ${untilText(act.until, nowMs, zone)}`
    const blocked = { device, policy: PAUSE_POLICY, endpoint }
    const past = this.#emergency(nowMs) ?? byGrant({ state }, blocked, nowMs)
    return pausedDecision(reason, past, book.identity(device).name)
  }

  /**
   * May a request of this device to this endpoint be blocked now, so that it has to be seen?
   * Not when an adult has let the device past everything that might.
   */
  mustInspect(device: Device, endpoint: string): boolean {
    if (this.paused(device, endpoint)?.enforce === true) return true
    if (!this.holds) return false
    const nowMs = this.#options.clock.now()
    const facts = { device, endpoint }
    return this.#blockers(device, nowMs).some(
      (policy) => this.#bypass(policy, facts, nowMs) === undefined,
    )
  }

  /**
   * The same of policies that lose something by connections that nobody reads; the others
   * decide about those by their name.
   */
  mustRead(device: Device, endpoint: string): boolean {
    if (!this.holds) return false
    const nowMs = this.#options.clock.now()
    const byName = new Set([TIME_RULES_POLICY, PERSON_POLICY])
    for (const { name, judgesUnseen } of this.#options.policies)
      if (judgesUnseen === true) byName.add(name)
    return this.#blockers(device, nowMs).some(
      (policy) =>
        !byName.has(policy) &&
        this.#bypass(policy, { device, endpoint }, nowMs) === undefined,
    )
  }

  /** Policies whose word may block, and the time rules while one of them does. */
  #blockers(device: Device, nowMs: number): string[] {
    const { policies, settings, memory, zone } = this.#options
    const { state, book } = this.lists
    const may = [...policies.map(({ name }) => name), DEFAULT_POLICY].filter((name) => {
      const setting = settings.get(name)
      return setting?.enabled === true && setting.action === 'block'
    })
    const isTime = state.rules.some(
      (rule) =>
        rule.enabled &&
        rule.action === 'block' &&
        isWithin(rule, memory.times.at(nowMs, rule.zone ?? zone)) &&
        book.isFor(rule, device),
    )
    if (isTime) may.push(TIME_RULES_POLICY)
    const person = book.person(device)
    if (person !== undefined && !isUnlimited(person)) may.push(PERSON_POLICY)
    if (state.stops.length > 0) may.push(SESSION_STOP_POLICY)
    for (const { name, blocks } of this.#options.lookers ?? []) if (blocks) may.push(name)
    return may
  }

  /** A policy that is on may want something redacted. */
  get redacts(): boolean {
    const { policies, settings } = this.#options
    return policies.some(
      ({ name, redacts }) => redacts === true && settings.get(name)?.enabled !== false,
    )
  }

  get lists(): Lists {
    const kept = this.#options.kept.current
    if (this.#lists?.kept !== kept) {
      const state = united(this.#options.file, kept)
      const book = new DeviceBook(state, this.#options.memory.bindings)
      this.#lists = { kept, state, book }
    }
    return this.#lists
  }

  decide(facts: DecisionFacts): Decision | Promise<Decision> {
    const paused = this.#decidePaused(facts)
    if (paused !== undefined) return paused
    const { clock, memory, zone } = this.#options
    const { book } = this.lists
    const nowMs = clock.now()
    const { device } = facts
    const identity = book.identity(device)
    const time = memory.times.at(nowMs, zone)
    let isFresh = false
    const { requestId, view, session } = facts
    const isWeighed = view !== undefined && session !== undefined
    const [input, ...more] = policyInputs({
      ...facts,
      session: isWeighed
        ? memory.inFlight.sessionSeenBy(requestId, view, session)
        : session,
      identity,
      time,
      counters: this.#counters(device, identity, time, facts),
      nowMs,
    })
    const decision = this.#engine.decide({
      input,
      more,
      deviceName: identity.name,
      uninspectable: facts.uninspectable,
      unstructured: facts.unstructured,
      promptCut: facts.promptCut,
      bypass: (policy) => {
        // Whoever approves expects it to hold at once; it is asked only when something blocks.
        if (!isFresh) this.#options.kept.refresh()
        isFresh = true
        return this.#bypass(policy, facts, nowMs)
      },
      emergency: () => this.#emergency(nowMs),
      redact: facts.redact,
    })
    if (decision instanceof Promise) return decision.then((known) => this.#spend(known))
    return this.#spend(decision)
  }

  /** With what others say of the same request, who were asked after the policies. */
  join(
    decision: Decision,
    voices: readonly Voice[],
    facts: Pick<DecisionFacts, 'device' | 'endpoint'>,
  ): Decision {
    const { mode, mayBlock, clock, kept } = this.#options
    const nowMs = clock.now()
    let isFresh = false
    const whole = joined(decision, voices, {
      ...{ mode, mayBlock },
      bypass: (policy) => {
        if (!isFresh) kept.refresh()
        isFresh = true
        return this.#bypass(policy, facts, nowMs)
      },
    })
    const spent = whole.spent.slice(decision.spent.length)
    this.#spend({ ...whole, spent })
    return whole
  }

  /** Undefined: it goes on to the policies. */
  #decidePaused({ device, endpoint }: DecisionFacts): Decision | undefined {
    if (this.paused(device, endpoint)?.enforce !== true) return undefined
    // Whoever ends a pause expects it to hold at once.
    this.#options.kept.refresh()
    const paused = this.paused(device, endpoint)
    return paused?.enforce === true ? paused : undefined
  }

  /**
   * May this device have a connection to this endpoint that nobody reads? By the policies that
   * need no request; the decision enforces nothing where nothing may be blocked.
   */
  byName(device: Device, endpoint: string): Decision | Promise<Decision> | undefined {
    const paused = this.paused(device, endpoint)
    if (paused?.enforce === true) return paused
    if (!this.#byName.holds) return undefined
    const { clock, memory, zone } = this.#options
    const nowMs = clock.now()
    const identity = this.lists.book.identity(device)
    const time = memory.times.at(nowMs, zone)
    const facts = { device, identity, time, endpoint, nowMs }
    const counters = this.#counters(device, identity, time, { aheadMs: nowMs })
    return this.#byName.decide({
      input: policyInput({ ...NO_REQUEST, ...facts, counters }),
      deviceName: identity.name,
      uninspectable: undefined,
      bypass: (policy) => this.#bypass(policy, facts, nowMs),
      emergency: () => this.#emergency(nowMs),
      redact: () => undefined,
    })
  }

  get detector(): Detector | undefined {
    return this.#options.detector
  }

  /** Somebody looks at `input.findings`. */
  get readsFindings(): boolean {
    return this.#someReads(({ readsFindings }) => readsFindings)
  }

  /** Somebody looks at `input.text` or `input.said`. */
  get readsText(): boolean {
    return this.#someReads(({ readsText }) => readsText)
  }

  /** Somebody looks at `input.calls`. */
  get readsCalls(): boolean {
    return this.#someReads(({ readsCalls }) => readsCalls)
  }

  #someReads(reads: (policy: Policy) => boolean | undefined): boolean {
    const { policies, settings } = this.#options
    return policies.some(
      (policy) => reads(policy) === true && settings.get(policy.name)?.enabled !== false,
    )
  }

  /** Does the opinion of this policy hang on what a request says? */
  readsContent(policy: string): boolean {
    return this.#options.policies.some(
      ({ name, readsContent }) => name === policy && readsContent,
    )
  }

  /** Does it judge the tools that messages of MCP call? What it lets a person allow is a call. */
  judgesCalls(policy: string): boolean {
    return this.#options.policies.some(
      ({ name, judgesCalls }) => name === policy && judgesCalls === true,
    )
  }

  /** In which people read times; undefined: the system's. */
  get zone(): string | undefined {
    return this.#options.zone
  }

  /** What the household calls a device, and whose it is; undefined: nobody has said. */
  nameOf(device: Device): string | undefined {
    const { book } = this.lists
    const { name } = book.identity(device)
    const person = book.person(device)?.name
    return name === undefined || person === undefined
      ? (name ?? person)
      : `${name} (${person})`
  }

  get markKey(): Buffer {
    return this.#options.kept.markKey
  }

  /** Approvals of what this device was refused by that policy there. */
  approved(policy: string, device: Device, endpoint: string): readonly Grant[] {
    const facts = { policy, device, endpoint }
    // Whoever was told a code and has it approved expects that to hold at once.
    this.#options.kept.refresh()
    return approvedFor(this.lists.state.grants, facts, this.#options.clock.now())
  }

  /** A grant for one request has served. */
  spend(grantId: string): void {
    this.#options.kept.spend(grantId)
  }

  /** A call to a model begins: it counts. */
  begin(requestId: string, device: Device, access?: readonly string[]): Ticket {
    const { clock, memory, zone } = this.#options
    const nowMs = clock.now()
    const time = memory.times.at(nowMs, zone)
    const { device: name, groups } = this.subjects(device)
    const subjects = { device: name, groups, access }
    memory.inFlight.begun(requestId, subjects, time)
    return memory.counters.begin(subjects, time, nowMs)
  }

  /** Some policy may block by what has been used so far. */
  get budgets(): boolean {
    const { policies, settings } = this.#options
    if (!this.holds) return false
    if (this.lists.state.people.some(({ usd }) => usd !== undefined)) return true
    return policies.some(({ name, readsCounters }) => {
      const setting = settings.get(name)
      return (
        readsCounters === true && setting?.enabled === true && setting.action === 'block'
      )
    })
  }

  /** Undefined: nobody else counts, or there is nothing to wait for. See `SharedUse.told`. */
  told(device: Device, access?: readonly string[]): Promise<void> | undefined {
    const { shared } = this.#options.memory
    return shared?.told({ ...this.subjects(device), access })
  }

  /** `beside`: its conversation, where it has one, and for whom its key counts. */
  flight(
    requestId: string,
    device: Device,
    worst: WorstCase,
    beside: {
      readonly session: string | undefined
      readonly access?: readonly string[] | undefined
    },
  ): Flight {
    const { memory, inFlightWaitMs, clock } = this.#options
    const { inFlight } = memory
    const endMs = clock.monotonic() + inFlightWaitMs
    return {
      get changes() {
        return inFlight.changes(requestId)
      },
      get isBeside() {
        return inFlight.isBeside(requestId)
      },
      reserve: () => {
        const subjects = { ...this.subjects(device), ...beside }
        inFlight.reserve(requestId, subjects, worst)
      },
      release: () => inFlight.release(requestId),
      wait: (since) =>
        inFlight.wait(requestId, since, Math.max(0, endMs - clock.monotonic())),
      settled: () => inFlight.settled(requestId),
      inTurn: (work) => inFlight.inTurn(work),
    }
  }

  /** Whoever asked is gone: nothing is waited for. */
  giveUp(requestId: string): void {
    this.#options.memory.inFlight.giveUp(requestId)
  }

  /** For whom counts what this device does. */
  subjects(device: Device): Subjects {
    const { groups } = this.lists.book.identity(device)
    return { device: subjectOf(device, groups), groups }
  }

  /** What was used this month by the device and by each of its groups. */
  monthly(device: Device): {
    readonly device: Readonly<Spent>
    readonly groups: Readonly<Record<string, Readonly<Spent>>>
  } {
    const { memory, clock, zone } = this.#options
    const time = memory.times.at(clock.now(), zone)
    const subjects = this.subjects(device)
    const month = (scope: UsageScope, name: string): Readonly<Spent> =>
      memory.counters.read(scope, name, time).month
    return {
      device: month('device', subjects.device),
      groups: Object.fromEntries(
        subjects.groups.map((name) => [name, month('group', name)]),
      ),
    }
  }

  /** `aheadMs`: of a call that does not count yet, its time. */
  #counters(
    device: Device,
    { groups }: Identity,
    time: LocalTime,
    asked: Partial<Pick<DecisionFacts, 'requestId' | 'view'>> & {
      readonly aheadMs?: number
    } = {},
  ): CountersFacts {
    const { memory, policies } = this.#options
    const { counters, inFlight } = memory
    const { requestId, view, aheadMs } = asked
    const read = (scope: UsageScope, name: string): Usage => {
      if (aheadMs !== undefined && scope !== 'policy')
        return counters.ahead(scope, name, time, aheadMs)
      const usage = counters.read(scope, name, time)
      if (view === undefined || requestId === undefined) return usage
      return inFlight.seenBy(requestId, view, { scope, name, usage }, time)
    }
    return {
      device: read('device', subjectOf(device, groups)),
      groups: () => groups.map((name) => [name, read('group', name)]),
      policies: () =>
        policies.map(({ name }) => [name, counters.read('policy', name, time)]),
    }
  }

  #bypass(
    policy: string,
    facts: Pick<DecisionFacts, 'device' | 'endpoint'>,
    nowMs: number,
  ): Bypass | undefined {
    const { device, endpoint } = facts
    const { zone, listMode, emergencyAllowed, memory } = this.#options
    const { state, book } = this.lists
    const { times } = memory
    const bypass = bypassOf(
      { state, book, times, zone, listMode, emergencyAllowed },
      { device, policy, endpoint },
      nowMs,
    )
    if (bypass === undefined) this.#tellSuspended(book, device, nowMs)
    return bypass
  }

  #emergency(nowMs: number): Bypass | undefined {
    const { emergencyAllowed } = this.#options
    return byEmergency({ state: this.lists.state, emergencyAllowed }, nowMs)
  }

  #tellSuspended(book: DeviceBook, device: Device, nowMs: number): void {
    const allowance = book.allowance(device, nowMs)
    if (allowance.kind !== 'suspended') return
    const key = `${device.ip} ${device.mac ?? ''}`
    if (this.#told.has(key) || this.#told.size >= MAX_TOLD) return
    this.#told.add(key)
    this.#options.onSuspended(allowance.name, device, allowance.boundMac)
  }

  #spend(decision: Decision): Decision {
    const { mayBlock, kept } = this.#options
    if (mayBlock) for (const spent of decision.spent) kept.spend(spent)
    return decision
  }
}

/** Devices that the household does not know count as one: a new address is no new budget. */
export function subjectOf(device: Device, groups: readonly string[]): string {
  if (groups.includes(UNKNOWN_GROUP)) return UNKNOWN_GROUP
  return deviceId(device)
}
