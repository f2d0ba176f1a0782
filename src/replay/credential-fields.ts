/**
 * Which fields of a head, and which parameters of a query, are credentials or tell who somebody
 * is, by their names: of the providers' documents, and by the words that such names are made of.
 * Pure.
 */

/** In the place of a value. */
export const REDACTED = '[redacted]'

const NAMED: ReadonlySet<string> = new Set([
  ...['authorization', 'proxy-authorization', 'x-api-key', 'api-key', 'x-goog-api-key'],
  ...['cookie', 'set-cookie', 'x-amz-security-token', 'ocp-apim-subscription-key'],
  ...['openai-organization', 'openai-project', 'anthropic-organization-id'],
  ...['x-goog-user-project', 'chatgpt-account-id', 'idempotency-key'],
  ...['x-forwarded-for', 'forwarded', 'x-real-ip', 'cf-connecting-ip', 'via'],
  ...['from', 'referer', 'traceparent', 'tracestate', 'baggage'],
])
const WORDS =
  /auth|api-?_?key|secret|token|cookie|session|signature|credential|passw|private/
/** They count tokens and requests. */
const COUNTS = /ratelimit|rate-limit|max-tokens|-tokens-/

/** Its value is not kept. */
export function isCredentialField(name: string): boolean {
  const lower = name.toLowerCase()
  return NAMED.has(lower) || (WORDS.test(lower) && !COUNTS.test(lower))
}

const PARAMETERS =
  /^(?:key|sig|signature|code|password|pwd|passwd|auth|.*(?:token|secret|api_?-?key|credential|signature))$/i

export function isCredentialParameter(name: string): boolean {
  return PARAMETERS.test(name)
}

/** Shorter ones would be found in words that have nothing to do with them. */
const LEAST_SECRET = 6
const LEAST_DRAWN = 8

export interface HeadWithout {
  readonly fields: string[]
  readonly secrets: string[]
}

/** Names and values in turn, without the values that are not kept. */
export function withoutCredentials(fields: readonly string[]): HeadWithout {
  const kept: string[] = []
  const secrets: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    const value = fields[i + 1] as string
    const isSecret = isCredentialField(name)
    kept.push(name, isSecret ? REDACTED : value)
    if (isSecret) secrets.push(...secretsOf(name, value))
  }
  return { fields: kept, secrets }
}

/** The path with its query, whose credentials are taken out. */
export function pathWithout(path: string): { path: string; secrets: string[] } {
  const mark = path.indexOf('?')
  if (mark < 0) return { path, secrets: [] }
  const secrets: string[] = []
  const kept = path
    .slice(mark + 1)
    .split('&')
    .map((pair) => {
      const is = pair.indexOf('=')
      const name = is < 0 ? pair : pair.slice(0, is)
      if (is < 0 || !isCredentialParameter(name)) return pair
      secrets.push(...secretsIn(decoded(pair.slice(is + 1))))
      return `${name}=${REDACTED}`
    })
  return { path: `${path.slice(0, mark)}?${kept.join('&')}`, secrets }
}

/** They tell who or where, in words that stand elsewhere as well. */
const NO_SECRETS: ReadonlySet<string> = new Set([
  ...['via', 'from', 'referer', 'forwarded', 'tracestate', 'baggage', 'set-cookie'],
  ...['www-authenticate', 'proxy-authenticate'],
])

function secretsOf(name: string, value: string): string[] {
  const lower = name.toLowerCase()
  if (NO_SECRETS.has(lower)) return []
  // It names the fields that it signs, which are no secrets (AWS Signature Version 4).
  if (/^AWS4-/.test(value))
    return [...value.matchAll(/(?:Credential|Signature)=([^,\s]+)/g)].map(
      ([, secret = '']) => secret,
    )
  return lower === 'cookie' ? secretsIn(value).filter(isDrawn) : secretsIn(value)
}

/** `Bearer x`, `a=b; c=d`: what of a value is secret by itself. */
function secretsIn(value: string): string[] {
  const parts = value.split(/[\s;,]+/)
  const isWhole = parts.length === 1
  return parts
    .flatMap((part) => [part, part.slice(part.indexOf('=') + 1)])
    .filter(
      (part) =>
        part.length >= LEAST_SECRET &&
        !/^(?:bearer|basic|digest|negotiate)$/i.test(part) &&
        (isWhole || isDrawn(part) || /^bearer\s/i.test(value)),
    )
}

/** No word of a language. */
function isDrawn(text: string): boolean {
  return text.length >= LEAST_DRAWN && /\d/.test(text) && /[a-z]/i.test(text)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
