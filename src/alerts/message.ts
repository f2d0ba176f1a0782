/** An alert in the words that people read: a title, lines, and how urgent it is. Pure. */
import type { AlertRule } from '../../config/schema-alerts.js'
import { plain } from './plain.js'
import type { AlertDevice, AlertEvent, Delivery } from './words.js'

export type Urgency = 'low' | 'normal' | 'high'

export interface Message {
  readonly title: string
  /** Each one line of text, as it is: every sink escapes it in its own way. */
  readonly lines: readonly string[]
  readonly urgency: Urgency
  /** Where it can be let pass. */
  readonly link?: string
}

interface RuleWords {
  readonly title: string
  readonly urgency: Urgency
}

const RULE_WORDS: Readonly<Record<AlertRule, RuleWords>> = {
  blocked: { title: 'Blocked', urgency: 'normal' },
  ask: { title: 'Asks for permission', urgency: 'high' },
  alerted: { title: 'A policy alerts', urgency: 'normal' },
  finding: { title: 'Personal data or a secret', urgency: 'high' },
  budget: { title: 'Budget', urgency: 'normal' },
  unusual: { title: 'Unusual use', urgency: 'normal' },
  new_device: { title: 'A new device', urgency: 'low' },
  new_service: { title: 'A new AI service', urgency: 'low' },
  coverage_drop: { title: 'Less is seen than before', urgency: 'high' },
  untrusted: { title: 'A device stopped trusting', urgency: 'normal' },
  steering_off: { title: 'Traffic is not led here', urgency: 'high' },
  disk: { title: 'The disk is almost full', urgency: 'high' },
  ca: { title: 'The CA needs somebody', urgency: 'high' },
  audit_loss: { title: 'The record misses something', urgency: 'high' },
  runaway: { title: 'An agent runs away', urgency: 'high' },
}

/** What people call it: its name, else its host name, else its address. */
export function deviceName(
  device: AlertDevice | undefined,
  user: string | undefined,
): string | undefined {
  if (device === undefined) return undefined
  return plain(user ?? device.hostname ?? device.ip, 100)
}

export function messageOf({
  event,
  isEscalated,
}: Pick<Delivery, 'event' | 'isEscalated'>): Message {
  const { title, urgency } = RULE_WORDS[event.rule]
  const who = deviceName(event.device, event.user)
  const about = who === undefined ? title : `${title}: ${who}`
  return {
    title: plain(isEscalated ? `Nobody has answered: ${about}` : about, 200),
    lines: linesOf(event),
    urgency: isEscalated ? 'high' : urgency,
    ...(event.answer === undefined ? {} : { link: event.answer.url }),
  }
}

const SHOWN = ['endpoint', 'model', 'code'] as const
const NAMES = { endpoint: 'service', model: 'model', code: 'code' } as const

function linesOf(event: AlertEvent): string[] {
  const { reason, policy, metadata } = event
  const lines = [plain(reason)]
  if (policy !== undefined) lines.push(`policy: ${plain(policy, 100)}`)
  for (const key of SHOWN) {
    const value = metadata[key]
    if (value !== undefined) lines.push(`${NAMES[key]}: ${plain(String(value), 120)}`)
  }
  return lines
}

export function titleOf(rule: AlertRule): string {
  return RULE_WORDS[rule].title
}

/** The body of the signed webhook: the same bytes at each try. */
export function webhookBody({ id, event, isEscalated }: Omit<Delivery, 'nowMs'>): string {
  const { at, user, device, policy, reason, mode, rule, metadata } = event
  return JSON.stringify({
    timestamp: new Date(at).toISOString(),
    user: user === undefined ? null : plain(user, 200),
    device:
      device === undefined ? null : plain(user ?? device.hostname ?? device.ip, 200),
    policy: policy === undefined ? null : plain(policy, 200),
    reason: plain(reason, 1000),
    mode,
    metadata: {
      ...metadata,
      rule,
      message: id,
      ...(device === undefined ? {} : { device_ip: device.ip }),
      ...(device?.mac === undefined ? {} : { device_mac: device.mac }),
      ...(isEscalated ? { escalated: true } : {}),
      ...(event.answer === undefined ? {} : { answer_url: event.answer.url }),
    },
  })
}
