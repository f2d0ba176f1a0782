/** JSON Web Tokens (RFC 7519) in compact form: taken apart and verified. `jwt-sign.ts` makes them. */
import { createSecretKey } from 'node:crypto'
import type { Builtin, BuiltinContext } from '../builtin.js'
import { JsonError, fromJsonText } from '../text.js'
import { t } from '../type-spec.js'
import {
  RegoObject,
  compareNumbers,
  isArray,
  isRegoNumber,
  numberFromDouble,
  numberToDouble,
} from '../value.js'
import type { Value } from '../value.js'
import { Refusal, define, objectAt, refuse, stringAt } from './define.js'
import { base64Url } from './encoding.js'
import { goJson } from './json-text.js'
import { readKeys } from './jws-keys.js'
import type { VerificationKey } from './jws-keys.js'
import { verifies } from './jws.js'

/** Steps that one public key operation costs. */
const stepsPerKey = 500
/** Tokens inside tokens. */
const maxNesting = 8

type Parts = {
  readonly header: string
  readonly payload: string
  readonly signature: string
}

function split(token: string): Parts {
  if (!token.includes('.')) refuse('encoded JWT had no period separators')
  const parts = token.split('.')
  const [header = '', payload = '', signature = ''] = parts
  if (parts.length !== 3)
    refuse(`encoded JWT must have 3 sections, found ${parts.length}`)
  return { header, payload, signature }
}

function decodePart(name: string, text: string): Buffer {
  return within(`JWT ${name} had invalid encoding`, () => base64Url(text))
}

/** Refusals in `work` say first what they are about. */
function within<T>(about: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof Refusal) refuse(`${about}: ${cause.message}`)
    throw cause
  }
}

function jsonObject(text: string): RegoObject {
  let value: Value
  try {
    value = fromJsonText(text)
  } catch (cause) {
    if (cause instanceof JsonError) refuse(`invalid JSON: ${cause.message}`)
    throw cause
  }
  if (value instanceof RegoObject) return value
  return refuse('decoded JSON type was not an Object')
}

/** The header of a signed token; encrypted ones are refused (RFC 7516 §9). */
function headerOf(parts: Parts): RegoObject {
  const text = decodePart('header', parts.header).toString()
  const header = within('bad JWT header', () => jsonObject(text))
  if (header.has('enc')) refuse('JWT is a JWE object, which is not supported')
  return header
}

/** A token in quotes, as some issuers nest it. */
function unquoted(text: string): string {
  return text.replace(/^["']+/, '').replace(/["']{1,100}$/, '')
}

function decode(args: readonly Value[]): Value {
  let token = stringAt(args, 0)
  for (let depth = 0; depth < maxNesting; depth++) {
    const parts = split(token)
    const header = headerOf(parts)
    const payload = decodePart('payload', parts.payload).toString()
    if (header.get('cty') === 'JWT') {
      token = unquoted(payload)
      continue
    }
    const signature = decodePart('signature', parts.signature).toString('hex')
    return [header, jsonObject(payload), signature]
  }
  return refuse('JWT is nested too deeply')
}

/** What a header says that matters here. */
type Header = {
  readonly alg: string
  readonly kid: string
  readonly cty: string
  /** All that is critical is known (RFC 7515 §4.1.11), and there is an algorithm. */
  readonly valid: boolean
}

const knownParameters = new Set(['alg', 'kid', 'typ', 'cty', 'crit'])

function readHeader(header: RegoObject): Header {
  const text = (name: string): string => {
    const value = header.get(name)
    if (value === undefined) return ''
    return typeof value === 'string' ? value : refuse(`${name}: must be a string`)
  }
  const [alg, kid, cty] = [text('alg'), text('kid'), text('cty')]
  text('typ')
  const critical = criticalOf(header)
  const unknown = [...critical].some(
    (name) => typeof name === 'string' && !knownParameters.has(name) && header.has(name),
  )
  return { alg, kid, cty, valid: alg !== '' && !unknown }
}

function criticalOf(header: RegoObject): ReadonlySet<Value> {
  const critical = header.get('crit')
  if (critical === undefined) return new Set()
  if (!isArray(critical)) refuse('crit: must be a list')
  if (critical.length === 0) refuse('crit: must be a nonempty list')
  return new Set(critical)
}

/** The one key of the header's id; without it, each key that may be for the algorithm. */
function isSigned(
  { header, parts, alg }: { header: Header; parts: Parts; alg: string },
  keys: readonly VerificationKey[],
  context: BuiltinContext,
): boolean {
  const signed = {
    text: `${parts.header}.${parts.payload}`,
    signature: base64Url(parts.signature),
  }
  const named = header.kid === '' ? [] : keys.filter(({ kid }) => kid === header.kid)
  const tried =
    named.length > 0
      ? named.slice(0, 1)
      : keys.filter((key) => key.alg === '' || key.alg === header.alg)
  return tried.some(({ key }) => {
    context.step(stepsPerKey)
    return verifies(alg, key, signed)
  })
}

/** `io.jwt.verify_rs256` and its like: by the function's algorithm, whatever the header says. */
function verifyWithKeys(name: string, alg: string): Builtin {
  return define(name, two, t.boolean, (args, context) => {
    const parts = split(stringAt(args, 0))
    const keys = readKeys(stringAt(args, 1))
    base64Url(parts.signature)
    const header = readHeader(headerOf(parts))
    return isSigned({ header, parts, alg }, keys, context)
  })
}

function verifyWithSecret(name: string, alg: string): Builtin {
  return define(name, two, t.boolean, (args, context) => {
    const secret = stringAt(args, 1)
    const parts = split(stringAt(args, 0))
    const text = `${parts.header}.${parts.payload}`
    context.step(stepsPerKey)
    const key = createSecretKey(Buffer.from(secret))
    return verifies(alg, key, { text, signature: base64Url(parts.signature) })
  })
}

type Constraints = {
  readonly keys: readonly VerificationKey[]
  readonly alg: string
  readonly iss: string
  readonly aud: string
  /** Nanoseconds since the Unix epoch. */
  readonly time: number
}

const constraintNames = new Set(['cert', 'secret', 'alg', 'iss', 'aud', 'time'])

function constraintsAt(args: readonly Value[], nowNs: bigint): Constraints {
  const given = objectAt(args, 1)
  for (const name of given.keys())
    if (typeof name !== 'string' || !constraintNames.has(name))
      refuse(`unknown token validation constraint: ${goJson(name)}`)
  const text = (name: string): string => {
    const value = given.get(name)
    if (value === undefined) return ''
    return typeof value === 'string'
      ? value
      : refuse(`${name} constraint: must be a string`)
  }
  const [cert, secret] = [text('cert'), text('secret')]
  if (given.has('cert') && secret !== '') refuse('duplicate key constraints')
  if (!given.has('cert') && secret === '') refuse('no key constraint')
  const keys = given.has('cert')
    ? readKeys(cert)
    : [{ key: createSecretKey(Buffer.from(secret)), alg: '', kid: '' }]
  const names = { alg: text('alg'), iss: text('iss'), aud: text('aud') }
  return { keys, ...names, time: timeOf(given, nowNs) }
}

function timeOf(given: RegoObject, nowNs: bigint): number {
  const time = given.get('time')
  if (time === undefined) return Number(nowNs)
  if (!isRegoNumber(time)) refuse('token time constraint: must be a number')
  const double = numberToDouble(time)
  return double < 0 ? refuse('token time constraint: must not be negative') : double
}

function decodeVerify(args: readonly Value[], context: BuiltinContext): Value {
  const constraints = constraintsAt(args, context.nowNs)
  const refused: Value = [false, RegoObject.empty, RegoObject.empty]
  let token = stringAt(args, 0)
  for (let depth = 0; depth < maxNesting; depth++) {
    const parts = split(token)
    const fields = headerOf(parts)
    const header = readHeader(fields)
    if (!header.valid) return refused
    if (constraints.alg !== '' && constraints.alg !== header.alg) return refused
    const { alg } = header
    if (!isSigned({ header, parts, alg }, constraints.keys, context)) return refused
    const text = decodePart('payload', parts.payload).toString()
    if (header.cty.toUpperCase() === 'JWT') {
      token = text
      continue
    }
    const payload = jsonObject(text)
    return meets(payload, constraints) ? [true, fields, payload] : refused
  }
  return refuse('JWT is nested too deeply')
}

/** RFC 7519 §4.1.1 to §4.1.5. */
function meets(payload: RegoObject, constraints: Constraints): boolean {
  if (constraints.iss !== '' && payload.get('iss') !== constraints.iss) return false
  const audience = payload.get('aud')
  if (audience === undefined ? constraints.aud !== '' : !isFor(audience, constraints.aud))
    return false
  const now = numberFromDouble(constraints.time / 1e9)
  const expires = payload.get('exp')
  if (expires !== undefined) {
    if (!isRegoNumber(expires)) refuse('exp value must be a number')
    if (compareNumbers(now, expires) >= 0) return false
  }
  const starts = payload.get('nbf')
  if (starts === undefined) return true
  if (!isRegoNumber(starts)) refuse('nbf value must be a number')
  return compareNumbers(now, starts) >= 0
}

function isFor(audience: Value, wanted: string): boolean {
  return isArray(audience) ? audience.includes(wanted) : audience === wanted
}

const two = [t.string, t.string] as const
const fields = t.object(t.string)

export const tokens: readonly Builtin[] = [
  define('io.jwt.decode', [t.string], t.tuple(t.object(), t.object(), t.string), decode),
  {
    ...define(
      'io.jwt.decode_verify',
      [t.string, fields],
      t.tuple(t.boolean, t.object(), t.object()),
      decodeVerify,
    ),
    nondeterministic: true,
  },
  ...[
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'ES256',
    'ES384',
    'ES512',
    'EdDSA',
  ].map((alg) => verifyWithKeys(`io.jwt.verify_${alg.toLowerCase()}`, alg)),
  ...['HS256', 'HS384', 'HS512'].map((alg) =>
    verifyWithSecret(`io.jwt.verify_${alg.toLowerCase()}`, alg),
  ),
]
