/** The words of alerts: what rules tell, what sinks are told, and what the worker is asked. */
import type { AlertRule, SinkType } from '../../config/schema-alerts.js'
import type { DailyWindow } from '../policy/local-time.js'

export interface AlertDevice {
  /** MAC, else address: what it is known by. */
  readonly id: string
  readonly ip: string
  readonly mac?: string
  readonly hostname?: string
}

export type Metadata = Readonly<Record<string, string | number | boolean>>

/** What the record has to say first: whether it is one at all. */
export type Check =
  | {
      readonly kind: 'first-seen'
      readonly what: 'device' | 'service'
      readonly key: string
    }
  | { readonly kind: 'unusual-hour'; readonly device: string }
  | { readonly kind: 'unusual-amount'; readonly device: string; readonly calls: number }

/** Something that happened and that somebody may want to hear of. Times: Unix milliseconds. */
export interface AlertEvent {
  readonly rule: AlertRule
  readonly at: number
  readonly device?: AlertDevice
  /** What the household calls who it was. */
  readonly user?: string
  readonly policy?: string
  /** In words for people. */
  readonly reason: string
  readonly mode: string
  /** Since when there is anybody to tell: what was met before is not new. */
  readonly since?: number
  /** Instead of the cool-down: whatever has this word is told a single time. */
  readonly once?: string
  readonly check?: Check
  /** Where an answer may be given from the message, and until when. */
  readonly answer?: {
    readonly url: string
    readonly until: number
    readonly code: string
  }
  readonly metadata: Metadata
}

/** An event, and how often the same came since the last batch. */
export interface Told {
  readonly event: AlertEvent
  readonly count: number
}

/** Same rule, device and policy: one message within the cool-down. */
export function keyOf({ rule, device, policy, once }: AlertEvent): string {
  return JSON.stringify([rule, device?.id ?? '', policy ?? '', once ?? ''])
}

export const ALERT_STATES = ['new', 'acknowledged', 'snoozed'] as const
export type AlertState = (typeof ALERT_STATES)[number]

/** As the inbox has it. */
export interface Alert {
  readonly id: string
  readonly event: AlertEvent
  readonly count: number
  readonly lastAt: number
  readonly state: AlertState
  readonly by: string | null
  readonly snoozedUntil: number | null
  readonly deliveries: readonly DeliveryState[]
}

export interface DeliveryState {
  readonly sink: string
  readonly state: 'waiting' | 'sent' | 'failed'
  readonly tries: number
  readonly error: string | null
}

/** A sink as the worker knows it: secrets in plain text, nowhere else. */
export interface SinkSettings {
  readonly name: string
  readonly type: SinkType
  readonly url?: string
  readonly secret?: string
  readonly token?: string
  readonly topic?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string
  readonly from?: string
  readonly to: readonly string[]
  readonly starttls: 'required' | 'implicit' | 'off'
  /** PEM file. */
  readonly tlsCa?: string
  readonly transport: 'udp' | 'tcp' | 'tls'
}

export interface RuleSettings {
  readonly enabled: boolean
  /** Names of sinks that there are. */
  readonly sinks: readonly string[]
  readonly cooldownMs: number
  readonly quiet: readonly DailyWindow[]
  readonly escalateAfterMs?: number
  readonly escalateTo: readonly string[]
}

export interface PostSettings {
  /** Where the control plane is reached from a message, without a slash at its end. */
  readonly answerUrl?: string
  /** For how long a link answers. */
  readonly answerWithinMs: number
  readonly sinks: readonly SinkSettings[]
  readonly rules: Readonly<Record<AlertRule, RuleSettings>>
  readonly timezone: string | undefined
  readonly keepMs: number
}

/** One message, under way to one sink. */
export interface Delivery {
  /** The same at each try. */
  readonly id: string
  readonly event: AlertEvent
  readonly isEscalated: boolean
  readonly nowMs: number
}

export type Sent =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: string; readonly afterMs?: number }

/** What is said by a link: yes for a while, yes once, no. */
export const ANSWERS = ['yes', 'once', 'no'] as const
export type Answer = (typeof ANSWERS)[number]

/** A link in a message that asks. */
export interface AnswerLink {
  readonly alert: string
  /** Where the message went. */
  readonly sink: string
  readonly until: number
  readonly state: 'open' | 'answered' | 'old'
  /** What was said, and by which sink's link; null: nothing yet. */
  readonly said: string | null
  readonly by: string | null
  readonly event: AlertEvent
}

/** What the command line and the control plane may ask the worker. */
export interface AlertQuestions {
  list: {
    readonly asked: { readonly most: number; readonly all: boolean }
    readonly found: readonly Alert[]
  }
  ack: {
    readonly asked: { readonly id: string; readonly by: string }
    readonly found: boolean
  }
  snooze: {
    readonly asked: { readonly id: string; readonly by: string; readonly until: number }
    readonly found: boolean
  }
  test: { readonly asked: { readonly sink: string }; readonly found: Sent | undefined }
  /** What a link is for; nothing is changed. */
  link: {
    readonly asked: { readonly token: string }
    readonly found: AnswerLink | undefined
  }
  /** Uses it up: `taken` where it was open until now. */
  answer: {
    readonly asked: { readonly token: string; readonly said: Answer }
    readonly found: { readonly link: AnswerLink; readonly taken: boolean } | undefined
  }
  /** What was said by it could not be done. */
  unanswer: { readonly asked: { readonly token: string }; readonly found: boolean }
}

export type QuestionName = keyof AlertQuestions

/** Since the worker started. */
export interface PostCounts {
  readonly told: number
  readonly heldBack: number
  readonly sent: number
  readonly failed: number
  readonly dropped: number
}

export type ToWorker =
  | { readonly kind: 'settings'; readonly settings: PostSettings; readonly nowMs: number }
  | { readonly kind: 'take'; readonly told: readonly Told[]; readonly nowMs: number }
  | { readonly kind: 'tick'; readonly nowMs: number }
  | {
      readonly kind: 'ask'
      readonly id: number
      readonly name: QuestionName
      readonly asked: unknown
      readonly nowMs: number
    }
  | { readonly kind: 'stop' }

export type FromWorker =
  | {
      readonly kind: 'state'
      readonly waiting: number
      /** When something is to be done next; null: nothing waits. */
      readonly nextDue: number | null
      readonly isBusy: boolean
      readonly counts: PostCounts
      /** How many messages have been heard: what came later is not in this. */
      readonly heard: number
    }
  | { readonly kind: 'note'; readonly sink: string; readonly reason: string }
  | {
      readonly kind: 'answer'
      readonly id: number
      readonly found?: unknown
      readonly failed?: string
    }
