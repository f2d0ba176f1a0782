/**
 * Mail, by nodemailer: loaded with the first message, in the worker. Nothing is sent and no
 * password told unless the connection is encrypted to a server whose certificate is right,
 * save where `starttls: off` says so.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { escaped } from '../../core/html.js'
import { messageOf } from '../message.js'
import type { Delivery, Sent, SinkSettings } from '../words.js'
import { ANSWER_WITHIN_MS, saidBy } from './post.js'

/** As much of nodemailer as is used: it may not be installed. */
interface Mailer {
  createTransport(options: object): {
    sendMail(mail: object): Promise<{ readonly rejected?: readonly unknown[] }>
    close(): void
  }
}

export interface Mail {
  readonly subject: string
  readonly text: string
  readonly html: string
  /** Without `<>`; the same at each try. */
  readonly id: string
  readonly at: number
}

export function sendEmail(sink: SinkSettings, delivery: Delivery): Promise<Sent> {
  const { title, lines, link } = messageOf(delivery)
  const text = link === undefined ? lines : [...lines, '', `Let it pass: ${link}`]
  return sendMail(sink, {
    subject: `YORI: ${title}`,
    text: `${title}\n\n${text.join('\n')}\n`,
    html: htmlOf({ title, lines, link }),
    id: delivery.id,
    at: delivery.event.at,
  })
}

/** Never rejects. */
export async function sendMail(sink: SinkSettings, mail: Mail): Promise<Sent> {
  const { from = '', to } = sink
  let transport: ReturnType<Mailer['createTransport']> | undefined
  try {
    transport = mailer().createTransport(transportOf(sink))
    const { rejected = [] } = await transport.sendMail({
      from,
      to: [...to],
      subject: mail.subject,
      text: mail.text,
      html: mail.html,
      date: new Date(mail.at),
      messageId: `<${mail.id}@yori.home.arpa>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
      disableFileAccess: true,
      disableUrlAccess: true,
    })
    if (rejected.length === 0) return { kind: 'taken' }
    return { kind: 'refused', reason: `it refused ${rejected.length} recipients` }
  } catch (cause) {
    return { kind: 'refused', reason: reasonOf(cause) }
  } finally {
    transport?.close()
  }
}

export class NoMailer extends Error {}

function mailer(): Mailer {
  try {
    return createRequire(import.meta.url)('nodemailer') as Mailer
  } catch {
    throw new NoMailer('nodemailer is not installed: npm install nodemailer')
  }
}

function transportOf(sink: SinkSettings): object {
  const { host, user, password, starttls, tlsCa } = sink
  const isImplicit = starttls === 'implicit'
  const ca = tlsCa === undefined ? {} : { ca: readFileSync(tlsCa, 'utf8') }
  return {
    host,
    port: sink.port ?? (isImplicit ? 465 : 587),
    secure: isImplicit,
    requireTLS: starttls === 'required',
    ignoreTLS: starttls === 'off',
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...ca },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: ANSWER_WITHIN_MS,
    greetingTimeout: ANSWER_WITHIN_MS,
    socketTimeout: ANSWER_WITHIN_MS,
    dnsTimeout: ANSWER_WITHIN_MS,
  }
}

/** By nodemailer's codes; what a server says stays out: it may repeat what it was told. */
function reasonOf(cause: unknown): string {
  if (cause instanceof NoMailer) return cause.message
  const { code, responseCode, command } = cause as {
    code?: string
    responseCode?: number
    command?: string
  }
  if (command === 'STARTTLS' && responseCode !== undefined)
    return 'it does not offer STARTTLS, and without it nothing is sent'
  if (code === 'EAUTH') return `it refused the login${saidCode(responseCode)}`
  if (responseCode !== undefined) return `it answered ${responseCode}`
  if (code === 'ESOCKET' || code === 'ETLS' || code === undefined) {
    const inner = (cause as { cause?: unknown }).cause ?? cause
    return `no safe connection: ${saidBy(withoutOwnCode(inner))}`
  }
  return saidBy(cause)
}

function withoutOwnCode(cause: unknown): unknown {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code !== 'ESOCKET' && code !== 'ETLS') return cause
  return { message }
}

const saidCode = (code: number | undefined): string =>
  code === undefined ? '' : ` (${code})`

function htmlOf(of: {
  readonly title: string
  readonly lines: readonly string[]
  readonly link: string | undefined
}): string {
  const { title, lines, link } = of
  const button =
    link === undefined ? '' : `<p><a href="${escaped(link)}">Let it pass</a></p>`
  const text = lines.map((line) => `<p>${escaped(line)}</p>`).join('')
  return `<!doctype html><html><body style="font-family:sans-serif"><h1 style="font-size:1.2em">${escaped(title)}</h1>${text}${button}</body></html>`
}
