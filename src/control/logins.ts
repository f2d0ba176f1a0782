/**
 * Who is logged in by cookie, and the codes of one-time links. All of it is in memory: a restart
 * logs everybody out. Of codes and cookies only digests are kept.
 */
import type { Clock } from '../core/clock.js'
import type { Entrance, Role } from './roles.js'
import { digestOf, randomToken } from './token.js'

/** A link that nobody has opened by then is worth nothing. */
export const LINK_MS = 5 * 60_000
/** A login ends then, used or not. */
export const LOGIN_MS = 12 * 3_600_000
/** More at once push out the oldest. */
const MOST_LINKS = 16
const MOST_LOGINS = 64

export interface Login {
  /** A person of the configuration; undefined: whoever opened the link. */
  readonly person?: string
  readonly role: Role
  readonly entrance: Entrance
  readonly csrf: string
  readonly until: number
}

/** What is to be sent to whoever has logged in. */
export interface LoggedIn {
  readonly cookie: string
  readonly login: Login
}

export class Logins {
  readonly #clock: Clock
  readonly #links = new Map<string, { readonly until: number }>()
  readonly #logins = new Map<string, Login>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The code of a new link. It works once, within `LINK_MS`. */
  newLink(): { readonly code: string; readonly until: number } {
    const code = randomToken()
    const until = this.#clock.now() + LINK_MS
    put(this.#links, keyOf(code), { until }, MOST_LINKS)
    return { code, until }
  }

  /** Undefined: no such code, one that was used, or one whose time is over. */
  open(code: string): LoggedIn | undefined {
    const key = keyOf(code)
    const link = this.#links.get(key)
    this.#links.delete(key)
    if (link === undefined || this.#clock.now() >= link.until) return undefined
    return this.begin({ role: 'admin', entrance: 'link' })
  }

  begin(who: Pick<Login, 'person' | 'role' | 'entrance'>): LoggedIn {
    const cookie = randomToken()
    const until = this.#clock.now() + LOGIN_MS
    const login = { ...who, csrf: randomToken(), until }
    put(this.#logins, keyOf(cookie), login, MOST_LOGINS)
    return { cookie, login }
  }

  of(cookie: string): Login | undefined {
    const key = keyOf(cookie)
    const login = this.#logins.get(key)
    if (login !== undefined && this.#clock.now() < login.until) return login
    this.#logins.delete(key)
    return undefined
  }

  end(cookie: string): void {
    this.#logins.delete(keyOf(cookie))
  }
}

/** A look-up by digest tells nothing of the token by the time that it takes. */
const keyOf = (token: string): string => digestOf(token).toString('base64url')

function put<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  const [oldest] = map.keys()
  if (map.size >= most && oldest !== undefined) map.delete(oldest)
  map.set(key, value)
}
