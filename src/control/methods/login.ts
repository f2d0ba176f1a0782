/**
 * Logging in: by the link that `yori dashboard` prints, or a person by name and password or PIN.
 * Five attempts in 15 minutes from one address and 30 an hour in all: a PIN of 6 digits is
 * guessed with a chance of 1 in 1,400 a day, and every failure is in the record.
 */
import type { IncomingMessage } from 'node:http'
import { parsePasswordHash, verifyPassword } from '../../net/password.js'
import { Refusal, badRequest, json } from '../answer.js'
import type { Answer } from '../answer.js'
import { cookieName, schemeOf } from '../gate.js'
import { LOGIN_MS } from '../logins.js'
import type { LoggedIn } from '../logins.js'
import type { Call, Handler } from '../method.js'
import { PIN_ROLE, atMost } from '../roles.js'

/** Checked where there is no such person, so that time tells nobody who there is. */
const NOBODYS =
  'scrypt:16384:8:1:AAAAAAAAAAAAAAAAAAAAAA==:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
const LONGEST_NAME = 128
const LONGEST_PASSWORD = 1024
const PIN = /^\d{6,12}$/

/** For whoever may have one: the socket, the token, an admin. */
export const newLink: Handler = ({ on: { places, logins } }) => {
  if (places.url === undefined)
    throw new Refusal(
      503,
      'unavailable',
      places.problem ?? 'control.listen is off: there is no address to open',
    )
  const { code, until } = logins.newLink()
  return json(
    {
      url: `${places.url}/login?code=${code}`,
      expires_at: new Date(until).toISOString(),
    },
    201,
  )
}

/** What is fetched ahead, or asked for by HEAD, uses no link up. */
export const openLink: Handler = ({ request, query, on: { logins, port } }) => {
  const ahead = request.headers['sec-purpose'] ?? request.headers['purpose']
  const isLook = request.method === 'HEAD' || ahead !== undefined
  const code = query.get('code') ?? ''
  const opened = isLook || code === '' ? undefined : logins.open(code)
  if (opened === undefined) {
    return {
      kind: 'text',
      status: 403,
      type: 'text/plain; charset=utf-8',
      body: 'This link was used, or is over 5 minutes old. `yori dashboard` makes another.\n',
    }
  }
  const { remoteAddress: fromIp } = request.socket
  told({ port, who: 'link', fromIp, result: 'opened' })
  return {
    kind: 'text',
    status: 303,
    type: 'text/plain; charset=utf-8',
    body: '',
    fields: { location: '/', 'set-cookie': cookieOf(request, opened) },
  }
}

/** Attempts are limited as those of overrides are; a right one clears its address. */
export const byName: Handler = async (call): Promise<Answer> => {
  const { request, body, on } = call
  const { port, logins, attempts } = on
  const { name, secret, entrance } = credentialsOf(body)
  const from = request.socket.remoteAddress ?? 'socket'
  if (!attempts.allow(from, undefined, port.clock.now())) {
    told({ port, who: name, fromIp: from, result: 'limited' })
    const wait = 'too many attempts; the next in 15 minutes'
    throw new Refusal(429, 'too_many', wait, { retry_after_seconds: 900 })
  }
  const { people } = port.appliance.current.config.control
  const person = people.find((one) => one.name === name)
  const kept = entrance === 'pin' ? person?.pin_hash : person?.password_hash
  const hash = parsePasswordHash(kept?.reveal() ?? NOBODYS)
  const isRight = hash !== undefined && (await verifyPassword(hash, secret))
  if (person === undefined || kept === undefined || !isRight) {
    told({ port, who: name, fromIp: from, result: 'failed' })
    throw new Refusal(401, 'unauthorized', `that name and that ${entrance} do not fit`)
  }
  attempts.succeeded(from, port.clock.now())
  told({ port, who: name, fromIp: from, result: 'logged in' })
  const role = entrance === 'pin' ? atMost(person.role, PIN_ROLE) : person.role
  const begun = logins.begin({ person: name, role, entrance })
  return {
    kind: 'json',
    status: 200,
    body: { who: name, role, csrf: begun.login.csrf },
    fields: { 'set-cookie': cookieOf(request, begun) },
  }
}

export const logout: Handler = ({ request, on }) => {
  const cookie = on.gate.cookieOf(request)
  if (cookie !== undefined) on.logins.end(cookie)
  const over = `${cookieName(request.socket.localPort)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`
  return { kind: 'json', status: 200, body: {}, fields: { 'set-cookie': over } }
}

/** Who is asking, and what a change by cookie has to carry. */
export const me: Handler = ({ caller: { who, role, entrance, csrf } }) =>
  json({ who, role, entrance, csrf: csrf ?? null })

interface Credentials {
  readonly name: string
  readonly secret: string
  readonly entrance: 'password' | 'pin'
}

function credentialsOf(body: unknown): Credentials {
  if (body === undefined)
    throw new Refusal(
      401,
      'unauthorized',
      'a name and a password, or a PIN, are asked for',
    )
  const { name, password, pin } = (body ?? {}) as Record<string, unknown>
  const [secret, entrance] =
    pin === undefined ? ([password, 'password'] as const) : ([pin, 'pin'] as const)
  const isBoth = pin !== undefined && password !== undefined
  if (typeof name !== 'string' || typeof secret !== 'string' || isBoth)
    throw badRequest('{"name": "...", "password": "..."} or a "pin" in its place')
  if (name.length > LONGEST_NAME || secret.length > LONGEST_PASSWORD)
    throw badRequest('name or password is too long')
  if (entrance === 'pin' && !PIN.test(secret)) throw badRequest('pin: 6 to 12 digits')
  return { name, secret, entrance }
}

function cookieOf(request: IncomingMessage, { cookie }: LoggedIn): string {
  const seconds = Math.floor(LOGIN_MS / 1000)
  const name = cookieName(request.socket.localPort)
  const always = `Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict`
  const more = schemeOf(request) === 'https' ? '; Secure' : ''
  return `${name}=${cookie}; ${always}${more}`
}

interface Login {
  readonly port: Call['on']['port']
  readonly who: string
  readonly fromIp: string | undefined
  readonly result: string
}

/** In the record: who tried to come in, never with what. */
function told({ port, who, fromIp, result }: Login): void {
  port.appliance.audit.event({
    at: port.clock.now(),
    kind: 'control.login',
    actor: who,
    ...(fromIp === undefined ? {} : { fromIp }),
    details: { result },
  })
}
