/**
 * Requests signed for Amazon Web Services: signature version 4 in the Authorization header.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
import { createHash, createHmac } from 'node:crypto'
import type { Builtin, BuiltinContext } from '../builtin.js'
import { regoToString } from '../text.js'
import { t } from '../type-spec.js'
import { RegoObject, compareStrings, isArray, objectOf, setOf } from '../value.js'
import type { Value } from '../value.js'
import { define, int64At, objectAt, refuse, refuseOperand } from './define.js'
import { formatTime } from './go-time-format.js'
import { goJson } from './json-text.js'
import { spendText } from './spend.js'
import { utc } from './zones.js'

const requestNames = ['method', 'url'] as const
const configNames = [
  'aws_access_key',
  'aws_region',
  'aws_secret_access_key',
  'aws_service',
] as const

/** Members that must be there and be strings. */
function required<Name extends string>(
  object: RegoObject,
  names: readonly Name[],
  { position, what }: { position: number; what: string },
): Record<Name, string> {
  const report = (problem: string, of: readonly Name[]): void => {
    if (of.length > 0)
      refuseOperand(
        position,
        `${problem} ${what} parameters(s): ${regoToString(setOf(of))}`,
      )
  }
  const found = {} as Record<Name, string>
  const missing = names.filter((name) => !object.has(name))
  const invalid = names.filter((name) => {
    const value = object.get(name)
    if (typeof value !== 'string') return true
    found[name] = value
    return false
  })
  report('missing required', missing)
  report('invalid values for required', invalid)
  return found
}

/** Headers that proxies change on the way. */
const unsigned = new Set(['authorization', 'user-agent', 'x-amzn-trace-id'])

function headerLists(headers: RegoObject): Map<string, readonly string[]> {
  const lists = new Map<string, readonly string[]>()
  for (const [name, value] of headers.entries()) {
    if (typeof name !== 'string') continue
    const members = isArray(value) ? value : [value]
    const texts = members.map((member) =>
      typeof member === 'string'
        ? member
        : refuse('headers must be strings or lists of them'),
    )
    lists.set(name.toLowerCase(), texts)
  }
  return lists
}

function bodyOf(request: RegoObject): string {
  const raw = request.get('raw_body')
  if (typeof raw === 'string') return raw
  if (raw !== undefined) return ''
  const body = request.get('body')
  return body === undefined ? '' : goJson(body)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function mac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

type Task = {
  readonly request: RegoObject
  readonly config: RegoObject
  readonly timeNs: bigint
}

function sign({ request, config, timeNs }: Task, context: BuiltinContext): Value {
  const { method, url } = required(request, requestNames, {
    position: 1,
    what: 'request',
  })
  const keys = required(config, configNames, { position: 2, what: 'AWS config' })
  const unsignedPayload = config.get('disable_payload_signing') ?? false
  if (typeof unsignedPayload !== 'boolean')
    refuseOperand(2, "invalid value for 'disable_payload_signing' in AWS config")
  const target = targetOf(url)
  const body = bodyOf(request)
  spendText(context, body.length)
  const payload = unsignedPayload ? 'UNSIGNED-PAYLOAD' : sha256(body)
  const stamp = formatTime({ ns: timeNs, zone: utc }, '20060102T150405Z')

  const added = new Map([
    ['host', target.host],
    ['x-amz-date', stamp],
  ])
  const service = keys.aws_service
  if (service === 's3' || service === 'glacier')
    added.set('x-amz-content-sha256', payload)
  const session = config.get('aws_session_token')
  if (typeof session === 'string' && session !== '')
    added.set('x-amz-security-token', session)

  const given = request.get('headers')
  const headers = given instanceof RegoObject ? given : RegoObject.empty
  const signedHeaders = new Map<string, readonly string[]>()
  for (const [name, value] of added) signedHeaders.set(name, [value])
  for (const [name, values] of headerLists(headers))
    if (!unsigned.has(name)) signedHeaders.set(name, values)
  const sorted = [...signedHeaders].sort(([a], [b]) => compareStrings(a, b))
  const names = sorted.map(([name]) => name).join(';')

  const canonical = [
    method,
    target.path,
    target.query,
    ...sorted.map(([name, values]) => `${name}:${values.join(',')}`),
    '',
    names,
    payload,
  ].join('\n')
  const scope = `${stamp.slice(0, 8)}/${keys.aws_region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n')
  const signingKey = scope
    .split('/')
    .reduce<string | Buffer>(mac, `AWS4${keys.aws_secret_access_key}`)
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${keys.aws_access_key}/${scope},` +
    `SignedHeaders=${names},Signature=${mac(signingKey, text).toString('hex')}`

  const sent = objectOf([...headers, ...added, ['Authorization', authorization]])
  return objectOf([...request, ['headers', sent]])
}

/** The parts of a URL as they are written: nothing is added or normalised. */
function targetOf(url: string): { host: string; path: string; query: string } {
  const parts = /^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/.exec(url)
  if (parts === null) return refuse(`invalid url ${JSON.stringify(url)}`)
  const [, authority = '', path = '', query = ''] = parts
  return { host: authority.slice(authority.lastIndexOf('@') + 1), path, query }
}

const fields = t.object(t.string)

export const signatures: readonly Builtin[] = [
  define(
    'providers.aws.sign_req',
    [fields, fields, t.number],
    t.object(),
    (args, context) =>
      sign(
        {
          request: objectAt(args, 0),
          config: objectAt(args, 1),
          timeNs: int64At(args, 2),
        },
        context,
      ),
  ),
]
