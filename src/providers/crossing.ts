/**
 * A request that goes to somebody else than its client meant: what of it is the client's
 * credential stays behind. For another server of the same provider that is what is known to be
 * one, by its name or because it holds what is; for another provider everything but what its API
 * is asked with. Pure; values are held no longer than a call.
 */
import { credentialsIn, withoutCredential } from './credentials.js'
import type { Credentialed } from './credentials.js'
import { withoutQuery } from './paths.js'

/** Names by which credentials and accounts go, in lower case. */
const SECRET_NAME =
  /(?:^|[-_])(?:auth|authorization|authentication|token|secret|cookie2?|credentials?|password|bearer)(?:$|[-_])|api[-_]?key|subscription[-_]key|access[-_]key/
const ACCOUNTS: ReadonlySet<string> = new Set([
  'openai-organization',
  'openai-project',
  'anthropic-organization-id',
  'x-goog-user-project',
  'signature',
  'signature-input',
])

/** With what the APIs of language models are asked; nothing of it says who asks. */
const ASKED_WITH: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'anthropic-beta',
  'anthropic-version',
  'content-encoding',
  'content-language',
  'content-type',
  'openai-beta',
  'traceparent',
  'tracestate',
  'user-agent',
  'x-request-id',
])
/** What the libraries of OpenAI and Anthropic say of themselves. */
const LIBRARY = 'x-stainless-'
const ASKED_BY_QUERY: ReadonlySet<string> = new Set([
  'alt',
  'after',
  'api-version',
  'before',
  'beta',
  'limit',
  'order',
])
/** A shorter text stands in too much that is none. */
const SHORTEST_SECRET = 6

/** For another server of the same provider, which has a key of its own. */
export function withoutOwn(request: Credentialed): Credentialed {
  const secrets = secretsIn(request)
  return kept(
    withoutCredential(request),
    (name, value) =>
      !SECRET_NAME.test(name) && !ACCOUNTS.has(name) && !holdsAny(value, secrets),
    (name, value) => !SECRET_NAME.test(name) && !holdsAny(value, secrets),
  )
}

/** For another provider. */
export function forAnother(request: Credentialed): Credentialed {
  const secrets = secretsIn(request)
  return kept(
    withoutCredential(request),
    (name, value) =>
      (ASKED_WITH.has(name) || name.startsWith(LIBRARY)) && !holdsAny(value, secrets),
    (name, value) => ASKED_BY_QUERY.has(name) && !holdsAny(value, secrets),
  )
}

/** Does a body, or a text, hold a credential of its own request? */
export function holdsCredential(bytes: Buffer, request: Credentialed): boolean {
  return secretsIn(request).some((secret) => bytes.includes(secret))
}

function secretsIn(request: Credentialed): string[] {
  const keys = [...credentialsIn(request)]
  // Also behind a scheme of its own: `Basic ...`.
  const bare = keys.flatMap((key) => key.split(/\s+/))
  return [...new Set([...keys, ...bare])].filter((one) => one.length >= SHORTEST_SECRET)
}

function holdsAny(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => text.includes(secret))
}

function kept(
  { fields, path }: Credentialed,
  keepsField: (name: string, value: string) => boolean,
  keepsItem: (name: string, value: string) => boolean,
): Credentialed {
  const left: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = fields[i] as string
    const value = fields[i + 1] as string
    if (keepsField(name.toLowerCase(), value)) left.push(name, value)
  }
  const bare = withoutQuery(path)
  const query = path.slice(bare.length + 1)
  if (query === '') return { fields: left, path: bare }
  const items = query.split('&').filter((item) => {
    const [name = '', ...value] = item.split('=')
    return keepsItem(decoded(name).toLowerCase(), decoded(value.join('=')))
  })
  return { fields: left, path: bare + (items.length === 0 ? '' : `?${items.join('&')}`) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
