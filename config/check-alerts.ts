/** What the schema cannot say of `alerts`: which keys a type needs, and names that exist. Pure. */
import { isIP } from 'node:net'
import type { Judgement } from './judgement.js'
import { ALERT_RULES, SINK_KEYS, SINK_SECRETS } from './schema-alerts.js'
import type { Config } from './schema.js'
import { nearest } from './schema-suggest.js'
import { shown } from './shown.js'

export function checkAlerts({ alerts }: Config, judgement: Judgement): void {
  for (const name of Object.keys(alerts.sinks)) checkSink(alerts, name, judgement)
  checkRules(alerts, judgement)
}

type AlertsSettings = Config['alerts']

/** Whoever knows the address may post there. */
const SECRET_URLS: ReadonlySet<string> = new Set(['slack', 'discord', 'teams'])
const NO_URL = SINK_SECRETS.filter((key) => key !== 'url')

function checkSink({ sinks }: AlertsSettings, name: string, judgement: Judgement): void {
  const { given, inPlain, report, warn } = judgement
  const path = ['alerts', 'sinks', name]
  const sink = sinks[name]
  if (sink?.type === undefined) return
  const { type, starttls, user, host } = sink
  const hasFile = (key: string): boolean =>
    SINK_SECRETS.some((one) => one === key) && given([...path, `${key}_file`])
  for (const key of SINK_KEYS[type])
    if (!given([...path, key]) && !hasFile(key))
      report(path, `a sink of type ${type} needs ${key}`, `add ${key}`)
  const secrets = SECRET_URLS.has(type) ? SINK_SECRETS : NO_URL
  for (const key of secrets)
    if (inPlain([...path, key]))
      warn(
        [...path, key],
        'the secret stands in plain text in this file',
        `write \${VAR} and set VAR, or name a file of mode 0600 by ${key}_file`,
      )
  if (type === 'webhook' && !given([...path, 'secret']) && !hasFile('secret'))
    warn(path, 'its messages are not signed', 'add secret: whsec_...')
  if (type !== 'email') return
  if (starttls === 'off' && user !== undefined)
    report(
      [...path, 'starttls'],
      'off would send the password in the clear',
      'leave it out, or leave out user',
    )
  if (starttls === 'off' && host !== undefined && !isHere(host))
    warn(
      [...path, 'starttls'],
      'what devices did goes over the network in the clear',
      'leave it out, or use a relay on this machine',
    )
}

function isHere(host: string): boolean {
  return host === 'localhost' || (isIP(host) !== 0 && /^(?:127\.|::1$)/.test(host))
}

function checkRules({ sinks, rules }: AlertsSettings, { report }: Judgement): void {
  const names = Object.keys(sinks)
  for (const [rule, { sinks: told, escalate_to, escalate_after }] of Object.entries(
    rules,
  )) {
    const path = ['alerts', 'rules', rule]
    if (!ALERT_RULES.some((known) => known === rule)) {
      const meant = nearest(rule, ALERT_RULES)
      const right =
        meant === undefined
          ? `one of ${ALERT_RULES.join(', ')}`
          : `did you mean ${meant}?`
      report(path, 'there is no such rule', right)
      continue
    }
    for (const [key, list] of Object.entries({ sinks: told, escalate_to }))
      list.forEach((name, index) => {
        if (name === '*' || names.includes(name)) return
        report(
          [...path, key, index],
          `there is no sink ${shown(name)}`,
          names.length === 0
            ? 'name one under alerts.sinks'
            : `one of ${names.join(', ')}`,
        )
      })
    if ((escalate_after === undefined) !== (escalate_to.length === 0))
      report(path, 'escalate_after and escalate_to go together', 'give both or neither')
  }
}
