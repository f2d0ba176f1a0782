/**
 * An ask that is answered by the link in its message. GET shows what it is about and changes
 * nothing, since previews and scanners of mail open links; a POST answers, once. The token is
 * all that is asked for: it came to whom the household sends its messages.
 */
import type { Answer as Said, AnswerLink } from '../../alerts/words.js'
import { ONCE_MS } from '../../household/approvals.js'
import { AnswerWords, PAGE_FIELDS, answerPage } from '../answer-page.js'
import type { AnswerPage } from '../answer-page.js'
import { Refusal } from '../answer.js'
import type { Answer } from '../answer.js'
import type { Call, Handler } from '../method.js'
import { letPass, refuseAgain } from './approvals.js'

export const look: Handler = async (call) => {
  const link = await asked(call, (of) => of.ask('link', { token: tokenOf(call) }))
  if (link?.state !== 'open') return shown(call, ...closed(call, link))
  const words = wordsOf(call)
  const { grant_seconds: seconds } = call.on.port.appliance.current.config.enforcement
  const minutes = String(Math.max(1, Math.round(seconds / 60)))
  const at = `/answer/${tokenOf(call)}`
  const values = valuesOf(link)
  return shown(call, 200, {
    title: words.say('asks', values),
    lines: [
      words.say('refused', values),
      words.say('until', { time: words.time(link.until) }),
    ],
    buttons: [
      { action: at, label: words.say('yes', { minutes }), isYes: true },
      { action: `${at}/once`, label: words.say('once') },
      { action: `${at}/no`, label: words.say('no') },
    ],
  })
}

export const yes: Handler = (call) => answered(call, 'yes')

export const other: Handler = async (call) => {
  const { said } = call.params
  if (said === 'once' || said === 'no') return answered(call, said)
  return shown(call, ...closed(call, undefined))
}

/** Uses the link up first, so that of two at once one does something. */
async function answered(call: Call, said: Said): Promise<Answer> {
  const token = tokenOf(call)
  const found = await asked(call, (of) => of.ask('answer', { token, said }))
  if (found?.taken !== true) return shown(call, ...closed(call, found?.link))
  const { link } = found
  try {
    return await carriedOut(as(call, link), link, said)
  } catch (cause) {
    await asked(call, (of) => of.ask('unanswer', { token }))
    if (!(cause instanceof Refusal)) throw cause
    const title = wordsOf(call).say('failed')
    return shown(call, cause.status, { title, lines: [cause.message] })
  }
}

async function carriedOut(call: Call, link: AnswerLink, said: Said): Promise<Answer> {
  const words = wordsOf(call)
  if (said === 'no') {
    await refuseAgain(call)
    return shown(call, 200, {
      title: words.say('denied'),
      lines: [words.say('deniedMore')],
    })
  }
  const nowMs = call.on.port.clock.now()
  const { grant_seconds: seconds } = call.on.port.appliance.current.config.enforcement
  const isOnce = said === 'once'
  const until = nowMs + (isOnce ? ONCE_MS : seconds * 1000)
  await letPass(call, { until, once: isOnce, anything: false })
  const values = { ...valuesOf(link), time: words.time(until) }
  return shown(call, 200, {
    title: words.say('passed'),
    lines: [words.say(isOnce ? 'allowedOnce' : 'allowed', values)],
  })
}

function saidBefore(words: AnswerWords, { by, said }: AnswerLink): string {
  const became = words.say(said === 'no' ? 'denied' : 'passed')
  return words.say('answeredMore', { by: by ?? '', said: became })
}

/** 410: RFC 9110 section 15.5.11. */
function closed(call: Call, link: AnswerLink | undefined): [number, AnswerPage] {
  const words = wordsOf(call)
  if (link === undefined) return [404, { title: words.say('unknown'), lines: [] }]
  if (link.state === 'answered')
    return [410, { title: words.say('answered'), lines: [saidBefore(words, link)] }]
  const lines = [words.say('oldMore', valuesOf(link))]
  return [410, { title: words.say('old'), lines }]
}

function shown(call: Call, status: number, page: AnswerPage): Answer {
  return {
    kind: 'text',
    status,
    type: 'text/html; charset=utf-8',
    body: answerPage(wordsOf(call).language, page),
    fields: PAGE_FIELDS,
  }
}

/** In the record it is the sink that was answered from. */
function as(call: Call, { sink, event }: AnswerLink): Call {
  const ip = call.request.socket.remoteAddress
  const caller = {
    ...call.caller,
    who: `alert:${sink}`,
    ...(ip === undefined ? {} : { ip }),
  }
  return { ...call, caller, params: { code: String(event.metadata['code']) } }
}

function valuesOf({ event }: AnswerLink): Record<string, string> {
  const { device, user, policy, reason, metadata } = event
  return {
    who: user ?? device?.hostname ?? device?.ip ?? '?',
    policy: policy ?? '?',
    service: String(metadata['endpoint'] ?? '?'),
    code: String(metadata['code'] ?? '?'),
    reason,
  }
}

function wordsOf({ on: { port }, request }: Call): AnswerWords {
  const { control, enforcement } = port.appliance.current.config
  const wanted = request.headers['accept-language']
  return new AnswerWords(control.language, wanted, enforcement.timezone)
}

function tokenOf({ params }: Call): string {
  return params['token'] ?? ''
}

type Alerts = NonNullable<Call['on']['port']['alerts']>

/** @throws Refusal 503 */
async function asked<Found>(
  { on: { port } }: Call,
  ask: (of: Alerts) => Promise<Found>,
): Promise<Found | undefined> {
  if (port.alerts === undefined) return undefined
  try {
    return await ask(port.alerts)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Refusal(503, 'unavailable', reason)
  }
}
