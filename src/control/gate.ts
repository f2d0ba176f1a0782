/**
 * Who is let in at the TCP address: `Host` from a fixed list (DNS rebinding), a token or a
 * cookie, and for changes `Origin` and a header that no form can send (CSRF). Decides from a
 * request's head alone. https://www.w3.org/TR/fetch-metadata/ ; RFC 6750 section 2.1.
 */
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { Refusal } from './answer.js'
import type { Login, Logins } from './logins.js'
import { PIN_ROLE, atMost } from './roles.js'
import type { Caller, Role } from './roles.js'
import { digestOf, isSame } from './token.js'

export const CSRF_FIELD = 'x-yori-csrf'

export interface GateOptions {
  readonly token: { reveal(): string }
  readonly logins: Logins
  /** `host:port` each, as browsers write them, in lower case. */
  readonly hosts: () => ReadonlySet<string>
  /** What links in messages call us, beside those. */
  readonly linkHost: () => string | undefined
  /** What a person may do now; undefined: there is no such person any more. */
  readonly roleOf: (person: string) => Role | undefined
}

const isRead = (method: string | undefined): boolean =>
  method === 'GET' || method === 'HEAD'

export class Gate {
  readonly #options: GateOptions
  readonly #digest: Buffer

  constructor(options: GateOptions) {
    this.#options = options
    this.#digest = digestOf(options.token.reveal())
  }

  /**
   * Is it meant for us, and may whoever sent it know that it was? Of every request. `byLink`: what
   * it may do stands in its path alone, so it may come from anywhere (an app, a page of a service).
   * @throws Refusal 400, 403 or 421
   */
  admit(request: IncomingMessage, byLink = false): void {
    const { rawHeaders, headers, url = '', method } = request
    const named = rawHeaders.filter(
      (name, index) => index % 2 === 0 && name.toLowerCase() === 'host',
    )
    if (named.length !== 1 || !url.startsWith('/'))
      throw new Refusal(400, 'bad_request', 'one Host, and a path, are expected')
    const host = headers.host?.toLowerCase() ?? ''
    const isNamed = byLink && this.#options.linkHost() === host
    if (!isNamed && !this.#options.hosts().has(host))
      throw new Refusal(421, 'misdirected', 'this is not the name of the control plane')
    if (byLink || isRead(method)) return
    const { origin } = headers
    const site = headers['sec-fetch-site']
    const isOwn = origin === undefined || origin === `${schemeOf(request)}://${host}`
    if (!isOwn || (site !== undefined && site !== 'same-origin'))
      throw new Refusal(403, 'cross_site', 'a change may not come from another site')
  }

  /**
   * Who asks.
   * @throws Refusal 401, or 403 for what a page of elsewhere makes a browser send
   */
  caller(request: IncomingMessage): Caller {
    const { authorization, 'x-api-key': key } = request.headers
    const ip = request.socket.remoteAddress ?? ''
    // As gateways send it that ask a guardrail; no form and no link can.
    if (authorization === undefined && key !== undefined) {
      if (typeof key === 'string' && isSame(key, this.#digest))
        return { who: 'token', role: 'admin', entrance: 'token', ip }
      throw new Refusal(401, 'unauthorized', 'that is not the token')
    }
    if (authorization !== undefined) {
      const given = /^Bearer +([\w.~+/=-]{1,512})$/i.exec(authorization)?.[1]
      if (given !== undefined && isSame(given, this.#digest))
        return { who: 'token', role: 'admin', entrance: 'token', ip }
      throw new Refusal(401, 'unauthorized', 'that is not the token')
    }
    const login = this.login(request)
    const role = this.#roleOf(login)
    if (login === undefined || role === undefined)
      throw new Refusal(
        401,
        'unauthorized',
        'a token is asked for (Authorization: Bearer), or a login: `yori dashboard` prints a link',
      )
    refuseForeign(request, login)
    const { person, entrance, csrf } = login
    return { who: person ?? entrance, role, entrance, ip, csrf }
  }

  /** As it is now: a person may have been given less, or be gone. */
  #roleOf(login: Login | undefined): Role | undefined {
    if (login?.person === undefined) return login?.role
    const role = this.#options.roleOf(login.person)
    return role !== undefined && login.entrance === 'pin' ? atMost(role, PIN_ROLE) : role
  }

  /** By its cookie. */
  login(request: IncomingMessage): Login | undefined {
    const cookie = this.cookieOf(request)
    return cookie === undefined ? undefined : this.#options.logins.of(cookie)
  }

  cookieOf(request: IncomingMessage): string | undefined {
    const name = cookieName(request.socket.localPort)
    for (const part of (request.headers.cookie ?? '').split(';')) {
      const [key, value] = part.trim().split('=', 2)
      if (key === name) return value
    }
    return undefined
  }
}

/** By the connection, which no field can change. */
export function schemeOf({ socket }: Pick<IncomingMessage, 'socket'>): 'http' | 'https' {
  return socket instanceof TLSSocket ? 'https' : 'http'
}

/** Cookies know no ports: two YORIs of one machine have two. */
export function cookieName(port: number | undefined): string {
  return `yori_control_${port ?? 0}`
}

/**
 * Another port of this machine is the same site to a browser, which sends the cookie along: what
 * is not asked by our own pages, or typed by a person, gets nothing by it.
 */
function refuseForeign({ method, headers }: IncomingMessage, { csrf }: Login): void {
  if (!isRead(method)) {
    const given = headers[CSRF_FIELD]
    if (typeof given === 'string' && isSame(given, digestOf(csrf))) return
    throw new Refusal(403, 'csrf', `a change by login needs ${CSRF_FIELD} (see /api/me)`)
  }
  const site = headers['sec-fetch-site']
  const isOwn = site === undefined || site === 'same-origin' || site === 'none'
  const isOpened = headers['sec-fetch-mode'] === 'navigate'
  if (!isOwn && !isOpened)
    throw new Refusal(403, 'cross_site', 'a page of another site asked for this')
}
