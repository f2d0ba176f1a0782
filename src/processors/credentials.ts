/**
 * What of a head is a credential, which no processor is shown or may write unless it names it:
 * by the name of its field, or of a parameter in its query. Pure.
 */

const FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'api-key',
  'apikey',
  'x-api-key',
  'x-goog-api-key',
  'x-goog-iam-authorization-token',
  'x-amz-security-token',
  'x-auth-token',
  'x-access-token',
  'ocp-apim-subscription-key',
  // A browser cannot send other fields: keys of Realtime stand among its protocols.
  'sec-websocket-protocol',
])

/** `x-openai-key`, `x-session-token`: what is so called is one, whoever invented it. */
const FIELD =
  /(?:^|[-_])(?:authorization|api[-_]?key|token|secret|password|credential)s?$/

const PARAMETER =
  /^(?:key|sig|code|jwt|auth|pass|pwd)$|api[-_]?key|token|secret|password|signature|credential|authorization/i

export function isCredentialField(lowerName: string): boolean {
  return FIELDS.has(lowerName) || FIELD.test(lowerName)
}

/** Fields by lower-case names, flat; without credentials but those that `named` has. */
export function shownFields(
  fields: readonly string[],
  named: ReadonlySet<string>,
): readonly string[] {
  const shown: string[] = []
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = (fields[i] as string).toLowerCase()
    if (isCredentialField(name) && !named.has(name)) continue
    shown.push(name, readableValue(name, fields[i + 1] as string, named))
  }
  return shown
}

/** Where a request came from may have a query, too. */
function readableValue(name: string, value: string, named: ReadonlySet<string>): string {
  return name === 'referer' || name === 'location' ? shownPath(value, named) : value
}

/** The value of each parameter that is a credential is left out, and its name stays. */
export function shownPath(path: string, named: ReadonlySet<string>): string {
  const query = path.indexOf('?')
  if (query < 0) return path
  const parameters = path.slice(query + 1).split('&')
  const shown = parameters.map((parameter) => {
    const equals = parameter.indexOf('=')
    if (equals < 0) return parameter
    const name = decoded(parameter.slice(0, equals))
    const isHidden = PARAMETER.test(name) && !named.has(name.toLowerCase())
    return isHidden ? parameter.slice(0, equals + 1) : parameter
  })
  return `${path.slice(0, query)}?${shown.join('&')}`
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
