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
    if (isSecret) secrets.push(...secretsIn(value))
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

/** `Bearer x`, `a=b; c=d`: what of a value is secret by itself. */
function secretsIn(value: string): string[] {
  return value
    .split(/[\s;,]+/)
    .flatMap((part) => [part, part.slice(part.indexOf('=') + 1)])
    .filter((part) => part.length >= LEAST_SECRET && !/^(?:bearer|basic)$/i.test(part))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
