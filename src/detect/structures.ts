/**
 * Secrets that stand in a structure: private keys in PEM, credentials in a URL or of `curl`,
 * keys of a kubeconfig. Pure; each is looked for by a literal, and spans what it says at most.
 */
import { isAlnumCode } from './characters.js'
import { isPlaceholder } from './entropy.js'

export interface StructureHit {
  readonly class: 'secret' | 'pii'
  readonly kind: string
  readonly rule: string
  readonly confidence: number
  readonly start: number
  readonly end: number
}

type Tell = (hit: StructureHit) => void

/** `isFull`: nobody wants more of that kind. */
export function structuresIn(
  text: string,
  isFull: (kind: string) => boolean,
  tell: Tell,
): void {
  privateKeys(text, tell)
  urls(text, isFull, tell)
  if (!isFull('CURL_CREDENTIALS')) curls(text, isFull, tell)
  kubeconfigs(text, isFull, tell)
}

/** Longest key that is taken as a whole; a longer one ends there. */
const MAX_KEY = 16 * 1024
const BEGIN = /-----BEGIN[ A-Z0-9_-]{0,100}PRIVATE KEY(?: BLOCK)?-----/y
const PEM_LINE = /[A-Za-z0-9+/=]{20}/

function privateKeys(text: string, tell: Tell): void {
  for (let at = text.indexOf('-----BEGIN'); at >= 0;) {
    BEGIN.lastIndex = at
    if (!BEGIN.test(text)) {
      at = text.indexOf('-----BEGIN', at + 10)
      continue
    }
    const from = BEGIN.lastIndex
    const close = text.indexOf('-----END', from)
    const isClosed = close >= 0 && close - from <= MAX_KEY
    const body = text.slice(
      from,
      isClosed ? close : Math.min(text.length, from + MAX_KEY),
    )
    const lineEnd = isClosed ? text.indexOf('-----', close + 8) : -1
    const end = isClosed ? (lineEnd < 0 ? close + 8 : lineEnd + 5) : from + keyChars(body)
    if (
      PEM_LINE.test(body.slice(0, 400)) &&
      !/X{20}|x{20}|\.{3}/.test(body.slice(0, 400))
    )
      tell({
        ...{ class: 'secret', kind: 'PRIVATE_KEY', rule: 'private-key' },
        ...{ confidence: 0.99, start: at, end },
      })
    at = text.indexOf('-----BEGIN', Math.max(end, at + 10))
  }
}

/** Of a block without an end: as far as it looks like one. */
function keyChars(body: string): number {
  const other = /[^A-Za-z0-9+/=\s\\:,-]/.exec(body)
  return other?.index ?? body.length
}

const SCHEMES =
  /^(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|sqlserver|oracle|clickhouse|cockroachdb|cassandra|couchdb|elasticsearch|kafka|nats|ldaps?|smtps?|imaps?|ftps?|sftp|ssh|sqlite|neo4j(?:\+s)?|bolt|jdbc|snowflake|mqtts?)$/i
const MAX_SCHEME = 20
/** Before the `@`: RFC 3986 §3.2.1. */
const USERINFO = /([^\s:/?#@"'<>{}[\]\\|`]{0,128}):([^\s/?#@"'<>{}[\]\\|`]{1,256})@/y
const HOST = /[A-Za-z0-9.[\]:_-]{1,255}(?:\/[^\s"'<>`)\]}]{0,256})?/y
const NO_PASSWORD =
  /^(?:pass(?:word|wd)?|pwd|secret|token|x+|\*+|\.+|user|username|key)$/i

function urls(text: string, isFull: (kind: string) => boolean, tell: Tell): void {
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    if (isFull('URL_CREDENTIALS') && isFull('URL') && isFull('CONNECTION_STRING')) return
    USERINFO.lastIndex = at + 3
    const found = USERINFO.exec(text)
    if (found === null) continue
    const [, user = '', password = ''] = found
    if (/^[$%{<]|\$\{/.test(password) || NO_PASSWORD.test(password)) continue
    if (isPlaceholder(password)) continue
    let start = at
    while (start > at - MAX_SCHEME && isOfScheme(text.charCodeAt(start - 1))) start--
    const scheme = text.slice(start, at)
    if (scheme === '') continue
    const credentials = at + 3
    HOST.lastIndex = USERINFO.lastIndex
    if (!HOST.test(text)) continue
    const end = HOST.lastIndex
    const isStore = SCHEMES.test(scheme)
    if (isFull(isStore ? 'CONNECTION_STRING' : 'URL_CREDENTIALS')) continue
    const rule = isStore ? 'connection-string' : 'url-credentials'
    tell({
      ...{
        class: 'secret',
        kind: isStore ? 'CONNECTION_STRING' : 'URL_CREDENTIALS',
        rule,
      },
      ...{ confidence: 0.9, start: credentials },
      end: credentials + user.length + 1 + password.length,
    })
    if (!isStore) tell({ class: 'pii', kind: 'URL', rule, confidence: 0.9, start, end })
  }
}

function isOfScheme(code: number): boolean {
  return isAlnumCode(code) || code === 0x2b || code === 0x2d || code === 0x2e
}

/** What one command line may hold behind `curl`. */
const MAX_CURL = 1024
const MAX_USER = 256
const USER =
  /(?:\s-u|\s--user|\s--proxy-user)[ =]?\s{0,4}(["']?)([^\s"':]{1,100})["']?:(["']?)([^\s"']{3,128})/g
const NO_CREDENTIALS =
  /[$<{][{(]?\w*[>}]?$|^[$<{]\w|\$\{|^(?:pass(?:word|wd)?|test|token|secret|key|x+|\*+|pwd)>?$/i

function curls(text: string, isFull: (kind: string) => boolean, tell: Tell): void {
  for (let at = text.indexOf('curl'); at >= 0;) {
    if (isFull('CURL_CREDENTIALS')) return
    const command = text.slice(at, Math.min(text.length, at + MAX_CURL))
    USER.lastIndex = 0
    const found = USER.exec(command)
    if (found === null) {
      // What a further one within it has, was looked at as well.
      at = text.indexOf('curl', at + MAX_CURL - MAX_USER)
      continue
    }
    const [whole, , user = '', , password = ''] = found
    const bare = password.replace(/^\{([\w-]+)\}$/, '$1')
    const isNone =
      NO_CREDENTIALS.test(bare) || /^[$<]/.test(user) || /^\$|<|>|\{\{/.test(bare)
    const end = at + found.index + whole.length
    at = text.indexOf('curl', end)
    if (isNone || isPlaceholder(bare)) continue
    const start = end - password.length
    tell({
      ...{ class: 'secret', kind: 'CURL_CREDENTIALS', rule: 'curl-user' },
      ...{ confidence: 0.8, start, end },
    })
  }
}

const KUBE =
  /(?:client-key-data|client-certificate-data|token): {1,4}([A-Za-z0-9+/_.=-]{40,4096})/y

function kubeconfigs(text: string, isFull: (kind: string) => boolean, tell: Tell): void {
  for (const word of ['client-key-data: ', '  token: '] as const)
    for (
      let at = text.indexOf(word);
      at >= 0;
      at = text.indexOf(word, at + word.length)
    ) {
      if (isFull('KUBECONFIG')) return
      KUBE.lastIndex = word.startsWith(' ') ? at + 2 : at
      const found = KUBE.exec(text)
      if (found === null) continue
      const end = KUBE.lastIndex
      tell({
        ...{ class: 'secret', kind: 'KUBECONFIG', rule: 'kubeconfig' },
        ...{ confidence: 0.95, start: end - (found[1] as string).length, end },
      })
    }
}
