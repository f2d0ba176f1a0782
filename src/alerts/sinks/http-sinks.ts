/**
 * What each service that is posted to wants to read, from its documentation. Text goes as text:
 * where a service gives some characters a meaning, they are taken out of it. Pure.
 */
import { createHmac } from 'node:crypto'
import type { SinkType } from '../../../config/schema-alerts.js'
import { messageOf, webhookBody } from '../message.js'
import type { Message } from '../message.js'
import type { Delivery, SinkSettings } from '../words.js'

export interface Posting {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type HttpSinkType = Exclude<SinkType, 'email' | 'syslog'>

type Made = (sink: SinkSettings, delivery: Delivery, message: Message) => Posting

const FORMS: Readonly<Record<HttpSinkType, Made>> = {
  webhook: signed,
  ntfy,
  gotify,
  pushover,
  slack,
  discord,
  teams,
  homeassistant,
}

export function isHttpSink(sink: SinkSettings): boolean {
  return Object.hasOwn(FORMS, sink.type)
}

/** @throws Error when the sink is one of mail or syslog */
export function postingFor(sink: SinkSettings, delivery: Delivery): Posting {
  const form = FORMS[sink.type as HttpSinkType] as Made | undefined
  if (form === undefined) throw new Error(`${sink.type} is not posted to`)
  return form(sink, delivery, messageOf(delivery))
}

const JSON_TYPE = { 'content-type': 'application/json' }

function json(url: string, body: unknown, headers: Record<string, string> = {}): Posting {
  return { url, headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) }
}

/** Standard Webhooks 1.0: `v1,` and the HMAC-SHA256 of `id.timestamp.body`, in Base64. */
function signed(sink: SinkSettings, delivery: Delivery): Posting {
  const body = webhookBody(delivery)
  const timestamp = String(Math.floor(delivery.nowMs / 1000))
  const headers = {
    ...JSON_TYPE,
    'webhook-id': delivery.id,
    'webhook-timestamp': timestamp,
  }
  if (sink.secret === undefined) return { url: urlOf(sink), headers, body }
  const key = Buffer.from(sink.secret.replace(/^whsec_/, ''), 'base64')
  const mac = createHmac('sha256', key).update(`${delivery.id}.${timestamp}.${body}`)
  const signature = { 'webhook-signature': `v1,${mac.digest('base64')}` }
  return { url: urlOf(sink), headers: { ...headers, ...signature }, body }
}

/** https://docs.ntfy.sh/publish/#publish-as-json: posted to the root, the topic in the body. */
function ntfy(sink: SinkSettings, _delivery: Delivery, message: Message): Posting {
  const url = new URL(urlOf(sink))
  let { topic } = sink
  if (topic === undefined) {
    const parts = url.pathname.split('/')
    topic = parts.pop() ?? ''
    url.pathname = parts.join('/') === '' ? '/' : parts.join('/')
  }
  const bearer: Record<string, string> =
    sink.token === undefined ? {} : { authorization: `Bearer ${sink.token}` }
  const body = {
    topic,
    title: message.title,
    message: message.lines.join('\n'),
    priority: { low: 2, normal: 3, high: 5 }[message.urgency],
    tags: ['shield'],
    ...(message.link === undefined
      ? {}
      : {
          actions: [
            // Answered from the message itself: the page behind it takes a POST as a yes.
            {
              action: 'http',
              label: 'Let it pass',
              url: message.link,
              method: 'POST',
              clear: true,
            },
            {
              action: 'http',
              label: 'No',
              url: `${message.link}/no`,
              method: 'POST',
              clear: true,
            },
            { action: 'view', label: 'Look first', url: message.link },
          ],
        }),
  }
  return json(url.href, body, bearer)
}

/** https://gotify.net/docs/pushmsg; `text/plain` keeps the app from reading Markdown. */
function gotify(sink: SinkSettings, _delivery: Delivery, message: Message): Posting {
  const body = {
    title: message.title,
    message: message.lines.join('\n'),
    priority: { low: 2, normal: 5, high: 8 }[message.urgency],
    extras: {
      'client::display': { contentType: 'text/plain' },
      ...(message.link === undefined
        ? {}
        : { 'client::notification': { click: { url: message.link } } }),
    },
  }
  const url = `${urlOf(sink).replace(/\/+$/, '')}/message`
  return json(url, body, { 'x-gotify-key': sink.token ?? '' })
}

/** https://pushover.net/api: a form; without `html=1` it is text. */
function pushover(sink: SinkSettings, { event }: Delivery, message: Message): Posting {
  const form = new URLSearchParams({
    token: sink.token ?? '',
    user: sink.user ?? '',
    title: cut(message.title, 250),
    message: cut(message.lines.join('\n'), 1024),
    priority: { low: '-1', normal: '0', high: '1' }[message.urgency],
    timestamp: String(Math.floor(event.at / 1000)),
  })
  if (message.link !== undefined) {
    form.set('url', cut(message.link, 512))
    form.set('url_title', 'Let it pass')
  }
  return {
    url: sink.url ?? 'https://api.pushover.net/1/messages.json',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
  }
}

/**
 * https://docs.slack.dev/reference/block-kit/composition-objects/text-object: `plain_text` has
 * no mark-up. `text` is what notifications show: of it `&`, `<` and `>` are written as entities.
 */
function slack(sink: SinkSettings, _delivery: Delivery, message: Message): Posting {
  const text = (of: string) => ({ type: 'plain_text', text: of, emoji: false })
  const { link } = message
  const lines =
    link === undefined ? message.lines : [...message.lines, `let it pass: ${link}`]
  return json(urlOf(sink), {
    text: entities(message.title),
    mrkdwn: false,
    unfurl_links: false,
    blocks: [
      { type: 'header', text: text(cut(message.title, 150)) },
      { type: 'section', text: text(cut(lines.join('\n'), 3000)) },
    ],
  })
}

function entities(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** https://discord.com/developers/docs/resources/webhook#execute-webhook; nobody is mentioned. */
function discord(sink: SinkSettings, { event }: Delivery, message: Message): Posting {
  const { link } = message
  return json(urlOf(sink), {
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: cut(unmarked(message.title), 256),
        description: cut(message.lines.map(unmarked).join('\n'), 4096),
        timestamp: new Date(event.at).toISOString(),
        color: { low: 0x6b7280, normal: 0xd97706, high: 0xb91c1c }[message.urgency],
        ...(link === undefined ? {} : { fields: [{ name: 'Let it pass', value: link }] }),
      },
    ],
  })
}

/** Every character that Discord's Markdown or a mention could begin with. */
function unmarked(text: string): string {
  return text.replace(/[\\*_~`|>#[\]()<@:\-+.!&]/g, '\\$&')
}

/**
 * https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using:
 * an Adaptive Card. A `TextRun` of a `RichTextBlock` knows no Markdown, a `TextBlock` does.
 */
function teams(sink: SinkSettings, _delivery: Delivery, message: Message): Posting {
  const block = (text: string, more: object = {}) => ({
    type: 'RichTextBlock',
    inlines: [{ type: 'TextRun', text, ...more }],
  })
  const { link } = message
  return json(urlOf(sink), {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          body: [
            block(message.title, { weight: 'bolder', size: 'large' }),
            ...message.lines.map((line) => block(line)),
          ],
          ...(link === undefined
            ? {}
            : { actions: [{ type: 'Action.OpenUrl', title: 'Let it pass', url: link }] }),
        },
      },
    ],
  })
}

/** https://www.home-assistant.io/docs/automation/trigger/#webhook-trigger: any JSON. */
function homeassistant(
  sink: SinkSettings,
  delivery: Delivery,
  message: Message,
): Posting {
  const body = JSON.parse(webhookBody(delivery)) as object
  const { title, lines, urgency, link = null } = message
  return json(urlOf(sink), { title, message: lines.join('\n'), urgency, link, ...body })
}

function urlOf({ name, url }: SinkSettings): string {
  if (url === undefined) throw new Error(`the sink ${name} has no url`)
  return url
}

/** Lines, in whole characters. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
